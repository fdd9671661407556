"""The demo's own `gate/` files: two origins, what they must pass, and a stream that the demo's servers carry."""

from typing import Final

from compose_repo.core.names import Stream

ORIGINS: Final = """\
schema = "origins/1"

[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org", docs = "https://rdo.example.org/compose-tests"}

[origins.idm]
name = "IdM"
users = ["idm-ci"]
contact = {email = "idm-ci@example.org", docs = "https://idm.example.org/compose-tests"}
"""

POLICY: Final = """\
schema = "policy/1"

[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = "all"
why = "OpenStack installs and boots a guest on it."

[[requirement]]
origin = "rdo"
testcase = "packstack.allinone"
arches = "any"
why = "A single node can be deployed from its repositories."

[[requirement]]
origin = "idm"
testcase = "ipa.install"
arches = "all"
deadline = "48h"
why = "An identity server installs on it."

[[requirement]]
origin = "idm"
testcase = "ipa.trust"
arches = "any"
deadline = "48h"
why = "A trust to Active Directory can be set up."
"""

NO_WAIVERS: Final = 'schema = "waivers/1"\n'


def streams(stream: Stream, server: str, *, compose_type: str = "production") -> str:
    """Say where the demo's composes are, of which type, where it publishes them, and who the bots are."""
    return (
        f'schema = "streams/1"\n\n[streams.{stream}]\n'
        f'composes = "{server}/production/"\npublished = "{server}/mirror/COMPOSE_ID"\n'
        f'types = ["{compose_type}"]\n'
        '\n[bots]\ncompose = "compose-bot"\ngate = "gate-bot"\n'
    )


def waivers(*, origin: str, testcase: str, compose_id: str, expires: str) -> str:
    """Waive one testcase on one compose."""
    return (
        f'{NO_WAIVERS}\n[[waiver]]\norigin = "{origin}"\ntestcase = "{testcase}"\ncomposes = ["{compose_id}"]\n'
        f'reason = "The lab\'s Active Directory is down this week"\n'
        f'issue = "https://issues.example.org/IDM-4711"\nby = "releng"\nexpires = {expires}\n'
    )
