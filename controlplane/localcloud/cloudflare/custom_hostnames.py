"""The custom hostnames routes of a zone, with the vendor's checks, codes and envelope."""

import ipaddress
import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from controlplane.localcloud.cloudflare.envelope import Refusal, success
from controlplane.localcloud.cloudflare.saas import Row, Saas

PER_PAGE = 50
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_RESERVED = ("test", "example", "invalid", "localhost")


def _saas(request: Request) -> Saas:
    saas: Saas = request.app.state.saas
    return saas


def _check_hostname(given: Any) -> str:
    """Status codes: developers.cloudflare.com/…/cloudflare-for-saas/reference/status-codes/custom-hostnames/"""
    host = given.lower() if isinstance(given, str) else ""
    if not 0 < len(host) <= 255:
        raise Refusal(400, 1407, "Invalid custom hostname. Custom hostnames have to be smaller than 256 characters.")
    if not host.isascii():
        raise Refusal(400, 1408, "Custom hostnames with non-ASCII characters are not supported.")
    if "*" in host:
        raise Refusal(400, 1448, "Custom hostnames with wildcards are not supported for certificates managed by us.")
    if _is_address(host) or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise Refusal(400, 1407, "Invalid custom hostname. They cannot be IP addresses or contain special characters.")
    if host.rpartition(".")[2] in _RESERVED:
        raise Refusal(400, 1409, "Reserved top domain custom hostnames, such as 'test', are not supported.")
    if "." not in host:
        raise Refusal(400, 1410, f"Unable to parse custom hostname - publicsuffix: cannot derive eTLD+1 for {host}")
    if re.search(r"(?:^|\.)example\.(?:com|net|org)$", host):
        raise Refusal(400, 1411, "Custom hostnames ending in example.com, example.net, or example.org are prohibited.")
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_ssl(ssl: Any) -> Any:
    if not isinstance(ssl, dict) or not ssl.get("method") or not ssl.get("type"):
        raise Refusal(400, 1440, "Both validation type and validation method are required.")
    if ssl["method"] not in ("http", "txt", "email"):
        raise Refusal(400, 1432, "The validation method is not supported. Only http, email, or txt are accepted.")
    if ssl["type"] != "dv":
        raise Refusal(400, 1433, "The validation type is not supported. Only 'dv' is accepted.")
    return ssl


async def _body(request: Request) -> Row:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, 1400, "Unable to decode the JSON request body. Check your input and try again.")
    return body


def shown(row: Row) -> Row:
    host = row["hostname"]
    return {
        "id": row["id"],
        "hostname": host,
        "created_at": datetime.fromtimestamp(row["created_at"], UTC).isoformat(),
        "status": row["status"],
        "verification_errors": row["errors"] or None,
        "ownership_verification": {"type": "txt", "name": f"_cf-custom-hostname.{host}", "value": row["token"]},
        "ownership_verification_http": {
            "http_url": f"http://{host}/.well-known/cf-custom-hostname-challenge/{row['id']}",
            "http_body": row["token"],
        },
        "ssl": {
            "id": row["id"], "status": row["ssl"], "method": row["method"], "type": "dv", "wildcard": False,
            "certificate_authority": "google",
            "validation_errors": [{"message": message} for message in row["ssl_errors"]] or None,
        },
    }  # fmt: skip


async def create(request: Request) -> Response:
    body = await _body(request)
    host = _check_hostname(body.get("hostname"))
    ssl = _check_ssl(body.get("ssl"))
    if len(host) > 64 and not ssl.get("cloudflare_branding"):
        raise Refusal(400, 1469, "Since no host is 64 characters or fewer, Cloudflare Branding is required.")
    answer = success(shown(_saas(request).create(host, ssl)))
    answer.status_code = 201
    return answer


async def list_hostnames(request: Request) -> Response:
    saas, query = _saas(request), request.query_params
    if exact := query.get("hostname.exact", query.get("hostname", "")):
        found = saas.store.hostname(host=exact.lower())
        rows = saas.read([found] if found else [])
        return success([shown(row) for row in rows], page=1, per_page=PER_PAGE, count=len(rows), total_count=len(rows))
    page, size = int(float(query.get("page", 1))), int(float(query.get("per_page", 20)))
    if not 5 <= size <= PER_PAGE or page < 1:
        raise Refusal(400, 1434, f"per_page is 5 to {PER_PAGE}, page 1 or more.")
    rows = saas.read(saas.store.hostnames(size, (page - 1) * size))
    total = saas.store.count()
    return success([shown(row) for row in rows], page=page, per_page=size, count=len(rows), total_count=total)


def _row(request: Request) -> Row:
    found = _saas(request).store.hostname(id_=str(request.path_params["id"]))
    rows = _saas(request).read([found]) if found else []
    if not rows:
        raise Refusal(404, 1436, "The custom hostname was not found.")
    return rows[0]


async def get(request: Request) -> Response:
    return success(shown(_row(request)))


async def edit(request: Request) -> Response:
    row = _row(request)
    body = await _body(request)
    if "ssl" in body:
        _check_ssl(body["ssl"])
        row = _saas(request).restart(row)
    answer = success(shown(row))
    answer.status_code = 202
    return answer


async def delete(request: Request) -> Response:
    row = _row(request)
    _saas(request).store.delete(row["id"])
    return JSONResponse({"id": row["id"], "success": True, "errors": [], "messages": []})


async def quota(request: Request) -> Response:
    saas = _saas(request)
    used = saas.store.count()
    return success(
        {"used": used, "allocated": saas.allocated, "hard_cap": saas.hard_cap, "exceeded": used > saas.allocated}
    )


async def control(request: Request) -> Response:
    """For tests: `PUT /__hostnames/{host}` with any of status, ssl_status, errors says how it stands from now on."""
    row = _saas(request).store.hostname(host=str(request.path_params["host"]))
    if row is None:
        return Response(status_code=404)
    body = await request.json()
    _saas(request).force(row, body.get("status", ""), body.get("ssl_status", ""), body.get("errors", []))
    return Response(status_code=204)


ROOT = "/zones/{zone}/custom_hostnames"
routes = [
    Route(ROOT, list_hostnames, methods=["GET"]),
    Route(ROOT, create, methods=["POST"]),
    Route(ROOT + "/quota", quota, methods=["GET"]),
    Route(ROOT + "/{id}", get, methods=["GET"]),
    Route(ROOT + "/{id}", edit, methods=["PATCH"]),
    Route(ROOT + "/{id}", delete, methods=["DELETE"]),
]
