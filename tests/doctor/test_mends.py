from doctor.mends import QUEUE_ROLE, VOICE_LIVE_ROLES, grant, host_label


def test_a_missing_role_is_named_exactly_with_the_command_that_grants_it() -> None:
    mend = grant(QUEUE_ROLE, "the storage account", "11111111-0000-4000-8000-000000000001")
    assert "the role Storage Queue Data Contributor on the storage account" in mend
    assert '--assignee 11111111-0000-4000-8000-000000000001 --role "Storage Queue Data' in mend
    assert "CLIENT_ID" in grant(QUEUE_ROLE, "the storage account", None)


def test_several_roles_are_all_named() -> None:
    mend = grant(VOICE_LIVE_ROLES, "the resource", None)
    assert "the role Cognitive Services User and the role Foundry User on" in mend


def test_a_resource_is_called_as_its_host_is() -> None:
    assert host_label("https://contoso.queue.core.windows.net") == "contoso"
    assert host_label("http://127.0.0.1:8080/devstoreaccount1") == "NAME"
    assert host_label(None) == "NAME"
