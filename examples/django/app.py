"""A Django application whose users Vestibule signs in.

The proxy in front of it (../nginx.conf, ../Caddyfile or ../envoy.yaml) lets a request through only if Vestibule says
who sends it. What is Vestibule's here is the middleware `SignIn`.
"""

import os
import sys

import django
import jwt
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.utils.html import escape

# As browsers see it, and where this server reaches its keys.
VESTIBULE = os.environ.get("VESTIBULE", "https://app.example/auth")
KEYS = jwt.PyJWKClient(os.environ.get("VESTIBULE_KEYS", "http://127.0.0.1:3000/auth/.well-known/jwks.json"))
ORIGIN = "/".join(VESTIBULE.split("/")[:3])


class SignIn:
    """Signs the user in whom Vestibule names: at each new sign-in there, into a new session here."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from django.contrib.auth import get_user_model, login

        assertion = request.headers.get("Vestibule-Assertion", "")
        try:
            key = KEYS.get_signing_key_from_jwt(assertion)
            claims = jwt.decode(assertion, key, algorithms=["ES256"], audience=ORIGIN, issuer=VESTIBULE)
        except jwt.PyJWTError:
            return HttpResponse("Not signed in.", status=401)
        if request.session.get("sid") != claims["sid"]:
            user, _ = get_user_model().objects.update_or_create(
                username=claims["sub"], defaults={"first_name": claims.get("name", "")[:150]}
            )
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            request.session["sid"] = claims["sid"]
        return self.get_response(request)


settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY", "change me"),
    ALLOWED_HOSTS=[ORIGIN.split("/")[2].split(":")[0]],
    CSRF_TRUSTED_ORIGINS=[ORIGIN],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", "app.db")}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.SignIn",
    ],
)


def orders(request):
    from django.middleware.csrf import get_token

    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(
        f"""<!DOCTYPE html><title>Orders</title><h1>Orders of {escape(request.user.first_name)}</h1>
        <p id="user">{escape(request.user.username)}</p><p id="address">{escape(request.get_full_path())}</p>
        <p id="note">{escape(request.POST.get("note", ""))}</p>
        <form method="post" action="/orders">{token}<input name="note" aria-label="Note"><button>Order</button></form>
        <form method="post" action="/auth/logout"><input type="hidden" name="next" value="/orders"><button>Sign out</button></form>"""
    )


urlpatterns = [path("orders", orders)]

if __name__ == "__main__":
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from wsgiref.simple_server import make_server

    django.setup()
    call_command("migrate", verbosity=0)
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "4000")), get_wsgi_application())
    print("listening", flush=True)
    sys.exit(server.serve_forever())
