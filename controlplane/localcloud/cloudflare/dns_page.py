"""A page to play DNS provider, certificate authority and time: what a developer does instead of the world."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from controlplane.localcloud.cloudflare import custom_hostnames
from controlplane.localcloud.cloudflare.dns import KINDS, check_record
from controlplane.localcloud.cloudflare.saas import Row, Saas
from controlplane.localcloud.cloudflare.zone_store import Record, ZoneStore

SHOWN = 200
STEPS = (("1 minute", 60), ("1 hour", 3600), ("1 day", 86_400), ("1 week", 604_800))

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>DNS provider (stand-in)</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>
:root{{--line:color-mix(in srgb,currentColor 22%,transparent);--accent:light-dark(#256f57,#83c4ac)}}
*{{box-sizing:border-box}} body{{font:1rem/1.5 system-ui;max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem}}
h1{{font-size:1.5rem;margin:0}} h2{{font-size:1.125rem;margin:2.25rem 0 .75rem}} .quiet{{opacity:.75;margin:.25rem 0}}
table{{width:100%;border-collapse:collapse}} th,td{{padding:.5rem .75rem .5rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}} th{{font-size:.875rem;opacity:.75}}
form{{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end}} td form{{display:inline}}
label{{display:grid;gap:.25rem;font-size:.875rem;flex:1 1 12rem}} label.short{{flex:0 0 8rem}}
input,select,button{{font:inherit;padding:.5rem .625rem;border:1px solid var(--line);border-radius:6px;width:100%}}
button{{width:auto;cursor:pointer;background:none;color:inherit}}
button.main{{background:#256f57;border-color:#256f57;color:#fff}}
:focus-visible{{outline:2px solid var(--accent);outline-offset:2px}}
.notice{{padding:.625rem .875rem;border-left:3px solid var(--accent);
background:color-mix(in srgb,currentColor 6%,transparent)}}
code{{font-size:.875rem}}
@media(max-width:40rem){{thead{{display:none}}tr{{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}}
td{{display:block;border:0;padding:.125rem 0}}}}
</style><main>
<h1>DNS provider</h1><p class="quiet">A development stand-in: what you set here is what the whole local platform sees
when it looks a name up. Nothing leaves this machine. <a href="/">Back</a></p>{notice}
<h2>Add a record</h2><form method="post" action="/dns">
<label>Name<input name="name" required value="{name}" placeholder="shop.example.net" autocomplete="off"></label>
<label class="short">Type<select name="type">{kinds}</select></label>
<label>Value<input name="value" value="{value}" autocomplete="off"></label>
<button class="main" name="do" value="add">Add record</button></form>
<h2>Records</h2>{records}
<h2>Custom hostnames at Cloudflare</h2>{hostnames}
<h2>Time</h2><p class="quiet">At Cloudflare it is {now}, running {speed:g} times as fast as here.</p>
<form method="post" action="/dns"><input type="hidden" name="do" value="step">{steps}</form>
</main>"""


def _e(text: object) -> str:
    return html.escape(str(text), quote=True)


def _hidden(**values: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{_e(value)}">' for name, value in values.items())


def _records(records: Sequence[Record]) -> str:
    if not records:
        return '<p class="quiet">None yet.</p>'
    rows = "".join(
        f"<tr><td>{_e(name)}<td>{_e(kind)}<td><code>{_e(value)}</code><td>"
        f'<form method="post" action="/dns">{_hidden(name=name, type=kind, value=value)}'
        f'<button name="do" value="remove" aria-label="Remove {_e(kind)} of {_e(name)}">Remove</button></form>'
        for name, kind, value in records[:SHOWN]
    )
    return f"<table><thead><tr><th>Name<th>Type<th>Value<th><tbody>{rows}</table>"


def _hostnames(rows: Sequence[Row]) -> str:
    if not rows:
        return '<p class="quiet">None yet.</p>'
    body = "".join(
        f"<tr><td>{_e(row['hostname'])}<td>{_e(row['status'])}<td>{_e(row['ssl'])}"
        f"<td>{_e(' '.join(row['errors'] + row['ssl_errors']))}"
        for row in rows
    )
    return f"<table><thead><tr><th>Host<th>Hostname<th>Certificate<th>Says<tbody>{body}</table>"


async def page(request: Request) -> Response:
    """GET shows; POST does one thing and comes back. A form of another site is refused."""
    saas: Saas = request.app.state.saas
    if request.method == "POST":
        if urlsplit(request.headers.get("origin", "")).netloc not in ("", request.headers.get("host", "")):
            return Response("from this page only", 403)
        return RedirectResponse("/dns?" + urlencode(await _act(request)), 303)
    query = request.query_params
    chosen = query.get("type", "TXT")
    return HTMLResponse(
        PAGE.format(
            notice=f'<p class="notice" role="status">{_e(query["said"])}</p>' if "said" in query else "",
            name=_e(query.get("name", "")),
            value=_e(query.get("value", "")),
            kinds="".join(f"<option{' selected' if kind == chosen else ''}>{kind}" for kind in KINDS),
            records=_records(request.app.state.zone_store.records()),
            hostnames=_hostnames(saas.read(saas.store.hostnames(50, 0))),
            now=f"{datetime.fromtimestamp(saas.clock.now(), UTC):%A %d %B %Y, %H:%M:%S} UTC",
            speed=saas.clock.speed,
            steps="".join(f'<button name="value" value="{seconds}">+ {name}</button>' for name, seconds in STEPS),
        ),
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"},
    )


async def _act(request: Request) -> dict[str, str]:
    form = {name: str(value) for name, value in (await request.form()).items()}
    store: ZoneStore = request.app.state.zone_store
    typed = {name: form.get(name, "") for name in ("name", "type", "value")}
    request.app.state.saas.settle()
    try:
        if form.get("do") == "step":
            request.app.state.saas.clock.step(float(form.get("value", "0")))
            return {"said": "Time has moved on."}
        if form.get("do") == "remove":
            store.remove_record(typed["name"], typed["type"], typed["value"])
            return {"said": f"Removed {typed['type']} of {typed['name']}."}
        record = check_record(name=typed["name"], kind=typed["type"], value=typed["value"])
    except ValueError as error:
        return {"said": f"Not done: {error}", **typed}
    store.add_record(*record)
    return {"said": f"Added {record[1]} of {record[0]}."}


async def clock(request: Request) -> Response:
    """`POST /__clock {"step": seconds}`, for tests and benchmarks."""
    saas: Saas = request.app.state.saas
    if request.method == "POST":
        saas.clock.step(float((await request.json())["step"]))
    return JSONResponse({"now": saas.clock.now(), "speed": saas.clock.speed})


routes = [
    Route("/dns", page, methods=["GET", "POST"]),
    Route("/__clock", clock, methods=["GET", "POST"]),
    Route("/__hostnames/{host}", custom_hostnames.control, methods=["PUT"]),
]
