"""Mallory takes the signature off RDO's commit and puts it on her own.

Without the defence a signature is there, and by the right key; nobody asks of what.
"""

from attacks.mutations import SIGNATURE_IS_VERIFIED
from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (SIGNATURE_IS_VERIFIED,)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    signed = world.objects.git("cat-file", "commit", f"{world.head()}^").decode()
    assert "-----BEGIN SSH SIGNATURE-----" in signed
    signature = signed.partition("gpgsig ")[2].partition("-----END SSH SIGNATURE-----")[0].replace("\n ", "\n")
    world.add("mallory", {path: content}, signature=f"{signature}-----END SSH SIGNATURE-----")
