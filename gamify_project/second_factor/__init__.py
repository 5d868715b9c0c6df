"""The second factor of console accounts: codes of an authenticator app (TOTP), and recovery codes.

- `services`: set up, check, replace and reset.
- `login`: the login, with its second step.
- `gate`: who must set up a second factor first.
- `pages`: the pages on which users set it up.
"""
