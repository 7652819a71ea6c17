"""The authorise page as HTML: readable without styles, usable without a script. Pure."""

from collections.abc import Mapping, Sequence
from html import escape

from simulator.identity.consent import Asked, AuthoriseError, User

HEADERS = {
    # no form-action: browsers apply it to the redirect after the form too
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
h1 { font-size: 1.4rem } fieldset { border: 1px solid #8a94a0; border-radius: .4rem; margin: 1rem 0 } label { display: block; padding: .25rem 0 }
button { font: inherit; padding: .5rem 1.2rem; border: 1px solid #1b5e9c; border-radius: .4rem; background: #fff; color: #1b5e9c; margin-right: .6rem }
button.yes { background: #1b5e9c; color: #fff } .note { color: #57606a } .problem { border-left: .3rem solid #b3261e; padding: .3rem .8rem }
:focus-visible { outline: 3px solid #f2a33a; outline-offset: 2px }
"""


def consent_page(
    asked: Asked,
    fields: Mapping[str, str],
    people: Sequence[User],
    organisations: Sequence[tuple[str, str]],
    *,
    complaint: str | None = None,
) -> bytes:
    """The page where a user says yes or no.

    Args:
        asked: what the app asks.
        fields: the link's fields, which the form sends again.
        people: who may be signed in.
        organisations: id and name of those to choose from.
        complaint: what was wrong with the choice before.
    """
    kind, hint = ("checkbox", "one or more") if asked.several else ("radio", "one")
    alert = f'<p class="problem" role="alert">{escape(complaint)}</p>' if complaint else ""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    who = "".join(
        f'<option value="{escape(one.email)}">{escape(one.name)}, {escape(one.email)}</option>' for one in people
    )
    choices = "".join(
        f'<label for="t{place}"><input type="{kind}" name="tenant" id="t{place}" value="{escape(tenant)}"> {escape(name)}</label>'
        for place, (tenant, name) in enumerate(organisations)
    )
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in asked.scopes)
    return _page(
        f"{asked.client.name} wants access",
        f"""{alert}
<p>The app sends you back to <code>{escape(asked.redirect_uri)}</code>. It asks for:</p>
<ul>{scopes}</ul>
<form method="post" action="authorize">
{hidden}
<p><label for="user">Signed in as</label> <select id="user" name="user">{who}</select></p>
<fieldset><legend>Choose {hint} of your organisations</legend>
{choices or "<p>There are no organisations.</p>"}
</fieldset>
<p><button class="yes" name="decision" value="allow">Allow access</button><button name="decision" value="deny">Cancel</button></p>
</form>""",
    )


def error_page(error: AuthoriseError) -> bytes:
    """The page for a link that is wrong."""
    return _page(
        "Sorry, something went wrong",
        f'<p class="problem" role="alert">Error: <code>{escape(error.problem)}</code><br>{escape(str(error))}</p>'
        "<p>Go back to the app. Nothing was connected.</p>",
    )


def _page(title: str, body: str) -> bytes:
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main><h1>{escape(title)}</h1>
{body}
<p class="note">This is a simulated Xero: nobody is signed in, and no real organisation is opened.</p>
</main></body></html>
""".encode()
