"""Reading over HTTP: the one client, the addresses it takes, and how patient it is."""

from compose_repo.ports.http.address import normal_url
from compose_repo.ports.http.client import Cache, Document, Http
from compose_repo.ports.http.timing import Limits, Pace, limits

__all__ = ["Cache", "Document", "Http", "Limits", "Pace", "limits", "normal_url"]
