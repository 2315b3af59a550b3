"""
One settings file. What differs between places comes from the environment;
``docs/settings.md`` lists every variable.
"""

from pathlib import Path

from csp.constants import NONE, SELF
from environs import Env, validate

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

DATA_DIR = env.path("POLLARD_DATA_DIR", BASE_DIR / "var")
ENGINE = env.str(
    "POLLARD_ENGINE", "doltlite", validate=validate.OneOf(["doltlite", "dolt"])
)

if ENGINE == "doltlite":
    # Before anything imports sqlite3: see the module.
    from versioning.backends.doltlite import boot

    boot.load()

# Core ------------------------------------------------------------------------

DEMO = env.bool("POLLARD_DEMO", False)
DEBUG = env.bool("POLLARD_DEBUG", False)
SECRET_KEY = env.str("POLLARD_SECRET_KEY", "not-secret-" * 6 if DEMO else "")
ALLOWED_HOSTS = env.list("POLLARD_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("POLLARD_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "polls",
    "versioning",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tables2",
    "template_partials",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.auth.asking_once",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "versioning.middleware.VersioningMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "versioning.context_processors.versioning",
                "config.context.demo",
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    },
]

# Databases: what is branched, and what must not be -----------------------------

_KEPT = {
    "CONN_MAX_AGE": 60,  # seconds; a request leaves its branch all the same
    "CONN_HEALTH_CHECKS": True,
}
if ENGINE == "doltlite":
    _OPTIONS = {"timeout": 20, "transaction_mode": "IMMEDIATE"}
    DATABASES = {
        "default": {
            "ENGINE": "versioning.backends.unversioned",
            "NAME": DATA_DIR / "console.db",
            "OPTIONS": _OPTIONS,
            **_KEPT,
        },
        "versioned": {
            "ENGINE": "versioning.backends.doltlite",
            "NAME": DATA_DIR / "data.db",
            "OPTIONS": _OPTIONS,
            **_KEPT,
        },
    }
else:
    _SERVER = {
        "HOST": env.str("POLLARD_DOLT_HOST", "127.0.0.1"),
        "PORT": env.int("POLLARD_DOLT_PORT", 3306),
        "USER": env.str("POLLARD_DOLT_USER", "pollard"),
        "PASSWORD": env.str("POLLARD_DOLT_PASSWORD", ""),
        "OPTIONS": {"charset": "utf8mb4", "connect_timeout": 5},
        **_KEPT,
    }
    _NAME = env.str("POLLARD_DOLT_DATABASE", "pollard")
    DATABASES = {
        "default": {
            **_SERVER,
            "ENGINE": "django.db.backends.mysql",
            "NAME": f"{_NAME}_console",
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_0900_ai_ci"},
        },
        "versioned": {
            **_SERVER,
            "ENGINE": "versioning.backends.dolt",
            "NAME": _NAME,
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_0900_bin"},
        },
    }

DATABASE_ROUTERS = ["versioning.routers.VersionedRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VERSIONING = {
    "APPS": ["polls"],
    "DATABASE": "versioned",
    # None: the default branch alone.
    "PUBLIC_BRANCHES": env.list("POLLARD_PUBLIC_BRANCHES", None),
    "PROTECTED_BRANCHES": env.list("POLLARD_PROTECTED_BRANCHES", None),
}

# People ------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["config.auth.AskingOnceBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "versioning:branches"
LOGOUT_REDIRECT_URL = "polls:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Language, time, files ---------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("POLLARD_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# On a first run, and in tests, assets come from where they are written.
WHITENOISE_USE_FINDERS = DEMO or DEBUG
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
STORAGES = {
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if WHITENOISE_USE_FINDERS
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# Safety ------------------------------------------------------------------------

HTTPS = env.bool("POLLARD_HTTPS", not DEMO and not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("POLLARD_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "versioning.views.errors.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env.str("POLLARD_LOG", "WARNING")},
}
