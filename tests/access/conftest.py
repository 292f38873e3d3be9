"""The shops and people of the admin's tests, the visitor of the sign-up's."""

from tests.admin.conftest import acme, colleague, globex, owner, person, staff
from tests.signup.conftest import member, no_limits_left_over

__all__ = ["acme", "colleague", "globex", "member", "no_limits_left_over", "owner", "person", "staff"]
