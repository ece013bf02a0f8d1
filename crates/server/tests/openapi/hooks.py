"""What schemathesis calls: every request is signed, so that it gets as far as what it asks for."""

from urllib.parse import urlsplit

import clients
import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.core.parameters import ParameterLocation

CLIENT = clients.from_environment()


class Signed(AuthBase):
    def __call__(self, request: PreparedRequest):
        parts = urlsplit(request.url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        key = request.headers.get("idempotency-key", "")
        key = key.decode("latin-1") if isinstance(key, bytes) else key
        if isinstance(body, bytes):
            request.headers.update(CLIENT.headers(request.method, target, key, body))
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def filter_case(context, case):
    """Headers that are wrong on purpose would be mended by the signature, and then count as accepted."""
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    return not (headers and headers.mode.is_negative)
