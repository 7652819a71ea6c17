"""OAuth with Xero: a user's consent, tokens kept alive by one refresh at a time, and giving it all back.

==================  ==================================================================================================
``consent``         the link to Xero's page (state, PKCE, scopes), and what the browser comes back with
``identity``        code, refresh token or client credentials for tokens; revocation
``claims``          which consent an access token comes from: its connections have the same ``auth_event_id``
``token``           forms and answers of the token endpoint
``refresh``         when to refresh, with which token, and when a grant is dead
``source``          tokens for calls: one refresh for all who wait, across processes
==================  ==================================================================================================

To connect an organisation: ``new_consent`` with the scopes of :func:`xero_api.scopes.least`; keep it, send the browser to
``authorise_url``; when it is back, ``read_callback``, ``IdentityClient.exchange``, store the tokens; then ``read_claims`` and
``XeroClient.connections(auth_event_id=…)`` say which organisations were connected just now.
"""
