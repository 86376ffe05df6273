from pathlib import Path

import pytest

from doctor.limits import SESSIONS_MOST
from tests.calls.whole import AGENTS
from tests.doctor.stage import NOBODY, examination, ward
from tests.virtual_time import run

TWINS = "".join(
    f'[agents.a{n}]\nbridge = "voice_live"\nmodel = "gpt-realtime-2.1"\ninstructions = "{n}"\n'
    for n in range(SESSIONS_MOST + 2)
)


def test_each_agents_own_settings_are_tried_and_nothing_is_asked_of_the_model(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            found = await here.examined()
            assert {"voice_live.reception", "voice_live.workshop"} <= set(found.green)
            sessions = list(here.world.voice_live.sessions)
            assert len(sessions) == 2
            for session in sessions:
                assert [event["type"] for event in session.events] == ["session.update"]
                assert session.close_code == 1000
            told = [session.events[0]["session"]["instructions"] for session in sessions]
            assert told == ["You answer the phone.", "You answer the workshop's phone."]

    run(scenario())


def test_a_missing_role_for_voice_live_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.voice_live.switches.refuse_status = 403
            found = await here.examined()
            assert found.red == ["voice_live.reception", "voice_live.workshop"]
            mend = found.mend("voice_live.reception")
            assert "the role Cognitive Services User and the role Foundry User" in mend
            here.world.voice_live.switches.refuse_status = None  # they are given
            assert (await here.examined()).red == []

    run(scenario())


def test_a_model_that_there_is_not_is_red_for_its_agent_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        agents = AGENTS.replace('"gpt-4.1"', '"gpt-imaginary"')
        async with ward(tmp_path, agents_toml=agents) as here:
            found = await here.examined()
            assert found.red == ["voice_live.workshop"]
            assert "Check model or agent name" in found.mend("voice_live.workshop").replace(
                "check", "Check"
            )
            (tmp_path / "agents.toml").write_text(AGENTS)
            assert (await here.examined()).red == []

    run(scenario())


def test_a_refused_setting_is_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        wrong = "[agents.workshop]\nsession = { speaking_speed = 2 }\n"
        agents = AGENTS.replace("[agents.workshop]\n", wrong)
        async with ward(tmp_path, agents_toml=agents) as here:
            found = await here.examined()
            assert found.red == ["voice_live.workshop"]
            assert "speaking_speed" in found.detail("voice_live.workshop")
            assert "setting of agent workshop in agents.toml" in found.mend("voice_live.workshop")

    run(scenario())


@pytest.mark.parametrize(("status", "word"), [(404, "endpoint"), (429, "quota")])
def test_what_the_service_answers_is_explained(status: int, word: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.voice_live.switches.refuse_status = status
            found = await here.examined()
            assert found.red == ["voice_live.reception", "voice_live.workshop"]
            assert word in found.mend("voice_live.reception")

    run(scenario())


def test_a_service_that_opens_no_session_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ward(tmp_path) as here:
            here.world.voice_live.switches.silent = True
            found = await here.examined()
            assert found.detail("voice_live.reception") == "session_timeout"
            unreached = await here.examined(VOICE_LIVE_ENDPOINT=f"http://{NOBODY}")
            assert unreached.red == ["voice_live.reception", "voice_live.workshop"]
            assert "check network and endpoint" in unreached.mend("voice_live.workshop")

    run(scenario())


def test_calls_in_progress_keep_their_share_of_the_quota(tmp_path: Path) -> None:
    async def scenario() -> None:
        agents = 'default_agent = "a0"\n' + TWINS
        async with ward(tmp_path, agents_toml=agents) as here:
            found = await here.examined()
            assert len(here.world.voice_live.sessions) == SESSIONS_MOST
            unchecked = [id_ for id_ in found.open if id_.startswith("voice_live")]
            assert unchecked == ["voice_live.a10", "voice_live.a11"]

    run(scenario())


def test_agents_that_only_greet_otherwise_share_a_session(tmp_path: Path) -> None:
    async def scenario() -> None:
        two = (
            '[agents.a]\nbridge = "voice_live"\nmodel = "gpt-4.1"\ngreeting = "Hello."\n'
            '[agents.b]\nbridge = "voice_live"\nmodel = "gpt-4.1"\ngreeting = "Hi."\n'
            '[numbers]\n"+15550100001" = "a"\n"+15550100002" = "b"\n'
        )
        async with ward(tmp_path, agents_toml=two) as here:
            await here.examined()
            assert len(here.world.voice_live.sessions) == 1

    run(scenario())


def test_every_resource_that_shares_the_calls_is_tried_and_told_apart(tmp_path: Path) -> None:
    async def scenario() -> None:
        foundry = '[agents.desk]\nbridge = "voice_live"\nproject = "p"\nagent = "a"\n'
        foundry += '[agents.model]\nbridge = "voice_live"\nmodel = "gpt-4.1"\n'
        foundry = f'default_agent = "desk"\n{foundry}'
        async with ward(tmp_path, agents_toml=foundry) as here:
            first = here.env["VOICE_LIVE_ENDPOINT"]
            found = await here.examined(VOICE_LIVE_ENDPOINT=f"{first},http://{NOBODY}")
            assert found.red == ["voice_live.model.2"]
            assert {"voice_live.desk", "voice_live.model"} <= set(found.green)
            assert "voice_live.desk.2" not in found.all, "an agent is at home in the first"

    run(scenario())


REALTIME = """
default_agent = "brand"
[agents.brand]
bridge = "realtime_speech"
model = "our-deployment"
voice = "en-US-AvaMultilingualNeural"
"""


def test_a_realtime_deployment_that_there_is_not_is_red_until_it_is_made(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "realtime.toml"
        file.write_text(REALTIME)
        async with ward(tmp_path) as here:
            realtime = here.world.realtime
            realtime.switches.deployments = ("another",)
            env = dict(here.env) | {"AGENTS_FILE": str(file), "SPEECH_KEY": ""}
            found = await examination(env)  # without a key no voice is tried: in virtual time
            assert found.detail("realtime.brand") == "http_404"
            assert "Deploy 'our-deployment' in that resource" in found.mend("realtime.brand")
            realtime.switches.deployments = ("our-deployment",)
            found = await examination(env)
            assert "realtime.brand" in found.green
            (session,) = realtime.sessions
            assert [event["type"] for event in session.events] == ["session.update"]
            realtime.switches.refuse_status = 401
            found = await examination(env)
            assert "the role Cognitive Services OpenAI User" in found.mend("realtime.brand")

    run(scenario())
