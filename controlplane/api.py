"""The HTTP API: authentication, problem+json errors, routers. No endpoints here."""

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from tenants.api import router as tenants_router
from tenants.plans import PlanLimitError

api = NinjaAPI(title="Storefront platform", version="1", auth=django_auth, docs_url=None)


def problem(request: HttpRequest, status: int, title: str, **more: object) -> HttpResponse:
    """RFC 9457."""
    response = api.create_response(
        request, {"type": "about:blank", "title": title, "status": status, **more}, status=status
    )
    response["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(request, 404, "Not found")


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem(request, 401, "Log in first")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem(request, 422, "The request does not fit", errors=error.errors)


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(request, error.status_code, str(error))


@api.exception_handler(PlanLimitError)
def no_room(request: HttpRequest, error: PlanLimitError) -> HttpResponse:
    return problem(request, 409, "The shop's plan has no room", detail=error.messages[0])


api.add_router("/shops", tenants_router)
