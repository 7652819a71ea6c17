"""Consents of two users to two apps, against a model of plain dicts."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from simulator.identity.grants import Client, Grants, TokenError
from tests.support.examples import examples

APPS = (Client(id="A", secret="s"), Client(id="B", secret="s"))
USERS = ("kiri", "sam")
TENANTS = ("t1", "t2", "t3")

Owner = tuple[str, str]
"""Client and user."""


@dataclass(slots=True)
class Model:
    """What a user's tokens for an app should be good for.

    Attributes:
        connected: organisation → the consent that connected it last.
        created: organisation → when it was first connected, ever.
        tokens: refresh tokens that work → the consent they come from.
    """

    connected: dict[str, str] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=set)


class Consenting(RuleBasedStateMachine):
    """Users consent, apps refresh, disconnect and revoke, in any order."""

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.grants = Grants(APPS)
        self.models = {(app.id, user): Model() for app in APPS for user in USERS}
        self.now_ms = 0
        self.drawn = 0

    def new_id(self) -> str:
        """Never the same twice."""
        self.drawn += 1
        return f"id{self.drawn}"

    @rule(
        target=tokens,
        app=st.sampled_from(APPS),
        user=st.sampled_from(USERS),
        chosen=st.sets(st.sampled_from(TENANTS), min_size=1),
        scopes=st.sets(st.sampled_from(["x", "y", "z"])),
    )
    def consent(self, app: Client, user: str, chosen: set[str], scopes: set[str]) -> tuple[Owner, str]:
        """A user says yes."""
        self.now_ms += 1
        event, token = self.new_id(), self.new_id()
        self.grants.consent(
            app,
            user,
            auth_event_id=event,
            scopes=sorted(scopes),
            tenants=sorted(chosen),
            refresh_token=token,
            new_id=self.new_id,
            now_ms=self.now_ms,
        )
        model = self.models[app.id, user]
        model.connected |= dict.fromkeys(chosen, event)
        model.created = dict.fromkeys(chosen, self.now_ms) | model.created
        model.tokens[token] = event
        model.scopes |= scopes
        return (app.id, user), token

    @rule(target=tokens, held=consumes(tokens), by=st.sampled_from(APPS))
    def refresh(self, held: tuple[Owner, str], by: Client) -> tuple[Owner, str]:
        """An app uses a refresh token, perhaps another app's."""
        owner, token = held
        new, model = self.new_id(), self.models[owner]
        good = token in model.tokens and by.id == owner[0]
        try:
            grant = self.grants.refresh(by, token, new, self.now_ms)
        except TokenError:
            assert not good
            return held
        assert good
        assert grant.event_of(new) == model.tokens[token]
        model.tokens[new] = model.tokens[token]
        return owner, new

    @rule(held=tokens, tenant=st.sampled_from(TENANTS))
    def disconnect(self, held: tuple[Owner, str], tenant: str) -> None:
        """An app takes a connection away."""
        owner, token = held
        grant = self.grants.of_refresh_token(Client(id=owner[0], secret="s"), token)
        assert grant is not None
        removed = [
            self.grants.disconnect(grant, row.id) for row in list(grant.connections.values()) if row.tenant_id == tenant
        ]
        model = self.models[owner]
        known = token in model.tokens and model.connected.pop(tenant, None) is not None
        assert removed == ([True] if known else [])
        assert not self.grants.disconnect(grant, "nobody's")

    @rule(held=tokens)
    def revoke(self, held: tuple[Owner, str]) -> None:
        """An app gives a token back: if it still works, everything of that user goes."""
        owner, token = held
        grant = self.grants.of_refresh_token(Client(id=owner[0], secret="s"), token)
        assert grant is not None
        self.grants.revoke(grant)
        model = self.models[owner]
        if token in model.tokens:
            self.models[owner] = Model(created=model.created)

    @invariant()
    def users_reach_what_they_chose(self) -> None:
        """No more, no less, each connection with its consent and its first date, each user on their own."""
        live = {(grant.client_id, grant.user_id): grant for grant in self.grants if not grant.revoked}
        for owner, model in self.models.items():
            grant = live.pop(owner, None)
            rows = list(grant.connections.values()) if grant is not None else []
            assert {row.tenant_id: row.auth_event_id for row in rows} == model.connected
            assert len(rows) == len(model.connected)
            assert all(row.created_ms == model.created[row.tenant_id] for row in rows)
            assert grant is None or set(grant.scopes) == model.scopes
        assert not live


TestConsenting = Consenting.TestCase
TestConsenting.settings = settings(max_examples=examples(15), stateful_step_count=25)
