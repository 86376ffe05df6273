from doctor.unseen import unseen_checks
from tests.doctor.stage import IN_AZURE, NOWHERE, examination, patient
from tests.virtual_time import run


def test_what_only_azure_knows_is_never_called_good_and_always_has_its_command() -> None:
    async def scenario() -> None:
        found = await examination(NOWHERE)
        unseen = [id_ for id_ in found.all if id_.startswith("azure.")]
        names = ("roles", "events", "immutable_id", "numbers", "deployments")
        assert unseen == [f"azure.{name}" for name in names]
        for id_ in unseen:
            assert found.told(id_)["result"] == "not_checked"
            assert found.detail(id_).startswith("not checked here")
            assert found.told(id_)["see"]

    run(scenario())


def test_the_commands_name_what_is_known() -> None:
    async def scenario() -> None:
        async with patient(IN_AZURE) as one:
            one.signed_in.client_id = "11111111-0000-4000-8000-000000000001"
            told = {}
            for check in unseen_checks(one):
                told[check.id] = getattr(await check.examine(), "see", "")
        assert "--assignee 11111111-0000-4000-8000-000000000001" in told["azure.roles"]
        assert "az communication show --name contoso" in told["azure.immutable_id"]

    run(scenario())
