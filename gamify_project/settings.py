"""Settings. They are read from environment variables only; docs/operators.md lists all variables.

Without any variable this is the embedded product: SQLite and a file-based broker under `var/`, without other servers.
`DATABASE_URL` and `REDIS_URL` select PostgreSQL and Redis. `GAMIFY_ENV=production` requires safe settings.
"""

import os
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from gamify_project.logs import log_format, logging_config
from gamify_project.navigation import UNFOLD  # noqa: F401 - a setting, which unfold reads
from gamify_project.openapi.config import SPECTACULAR_SETTINGS  # noqa: F401 - a setting
from gamify_project.postgres.limits import COMMANDS, REQUESTS, Limits
from gamify_project.process.embedded import embedded_secret

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
PRODUCTION = env.str("GAMIFY_ENV", default="development") == "production"
VAR_DIR = Path(env.str("GAMIFY_VAR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _phrases(name: str) -> list[str]:
    """Return the comma-separated passphrases in the environment variable `name`."""
    return [phrase.strip() for phrase in env.list(name, default=[]) if phrase.strip()]


def _networks(name: str, *, default: list[str]) -> list[IPv4Network | IPv6Network]:
    """Return the comma-separated networks in the environment variable `name`."""
    try:
        return [ip_network(text.strip()) for text in env.list(name, default=default) if text.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: needs networks such as 10.0.0.0/8, separated by commas; {error}."
        ) from error


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="" if PRODUCTION else embedded_secret(VAR_DIR))
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off in production: unset DEBUG, or set GAMIFY_ENV=development.")
if PRODUCTION and (len(SECRET_KEY) < 50 or SECRET_KEY.startswith("django-insecure")):
    raise ImproperlyConfigured("SECRET_KEY: production needs its own key of at least 50 random characters.")
SECRET_KEY_FALLBACKS = _phrases("SECRET_KEY_FALLBACKS")
ENCRYPTION_KEYS = _phrases("ENCRYPTION_KEYS")  # empty: SECRET_KEY and SECRET_KEY_FALLBACKS are used
if PRODUCTION and any(len(phrase) < 32 for phrase in ENCRYPTION_KEYS):
    raise ImproperlyConfigured("ENCRYPTION_KEYS: in production, each key needs at least 32 random characters.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "gamify_project.errors.csrf_failure"
ROOT_URLCONF = "gamify_project.urls"
WSGI_APPLICATION = "gamify_project.wsgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "gamify_project",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "gamify_project.console_app.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_otp",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "participants",
    "gamify.facts",
    "gamify.points",
    "gamify.tiers",
    "gamify.badges",
    "gamify.challenges",
    "gamify.leaderboards",
    "gamify.rules",
    "gamify.webhooks",
    "streaks",
    "rewards",
    "gamify_project.programme",
    "gamify_project.exports",
    "gamify_project.undo",
]

# Requests of the API pass through these only (gamify_project.wsgi). None of them may have hooks other than `__call__`.
API_MIDDLEWARE = [
    "gamify_project.observing.RequestObserver",
    "gamify_project.middleware.RequestIdMiddleware",
    "gamify_project.middleware.TenantScopeMiddleware",
    "gamify_project.proxies.ProxyHeaderMiddleware",
    "gamify_project.middleware.RawPathMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gamify_project.content_policy.ContentPolicyMiddleware",
    "gamify_project.middleware.AnyHostForProbes",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
MIDDLEWARE = [
    *API_MIDDLEWARE,
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gamify_project.middleware.ConsoleSessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "gamify_project.middleware.ConsoleAuthenticationMiddleware",
    "gamify_project.middleware.ConsoleSecondFactorMiddleware",
    "gamify_project.middleware.ConsoleTenantMiddleware",
    "gamify_project.middleware.ConsoleActorMiddleware",
    "gamify_project.middleware.ConsoleMessageMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "gamify_project.unfold_templates.AccessibleLoader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- database -------------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
POSTGRES_OPTIONS: dict[str, Any] = {
    "keepalives_idle": 30,
    "prepare_threshold": env.int("PREPARE_THRESHOLD", default=2) if env.str("PREPARE_THRESHOLD", "2") else None,
    "server_side_binding": True,
}
DATABASE_LIMITS = {
    REQUESTS: Limits(
        lock=env.float("LOCK_TIMEOUT_SECONDS", default=2.0),
        statement=env.float("STATEMENT_TIMEOUT_SECONDS", default=15.0),
        connect=env.int("CONNECT_TIMEOUT_SECONDS", default=2),
        tcp_user=env.float("TCP_USER_TIMEOUT_SECONDS", default=4.0),
        silence=env.float("SILENCE_SECONDS", default=1.0),
    ),
    COMMANDS: Limits(
        lock=env.float("COMMAND_LOCK_TIMEOUT_SECONDS", default=20.0),
        statement=env.float("COMMAND_STATEMENT_TIMEOUT_SECONDS", default=600.0),
        connect=10,
        tcp_user=30.0,
    ),
}
DATABASE_POOLER = env.str("DATABASE_POOLER", default="")
if DATABASE_POOLER not in {"", "transaction"}:
    raise ImproperlyConfigured(
        "DATABASE_POOLER must be empty, or `transaction` if a pooler shares connections between transactions."
    )


POSTGRESQL = "gamify_project.postgres"


def _database(url: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(env.db_url_config(url))
    is_sqlite = config["ENGINE"] == "django.db.backends.sqlite3"
    if not is_sqlite:
        config["ENGINE"] = POSTGRESQL
    options = SQLITE_OPTIONS if is_sqlite else POSTGRES_OPTIONS
    config["OPTIONS"] = options | config.get("OPTIONS", {})
    config["CONN_MAX_AGE"] = None
    config["DISABLE_SERVER_SIDE_CURSORS"] = bool(DATABASE_POOLER)  # they outlive transactions
    if is_sqlite:
        config["TEST"] = {
            "NAME": str(VAR_DIR / "test.sqlite3")
        }  # a file, because a database in memory has one connection for all threads
    return config


DATABASES = {"default": _database(env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'gamify.sqlite3'}")}

# With an owner, DATABASE_URL is the role of the application, which PostgreSQL restricts to one tenant (docs/decisions/0030).
# Only `migrate` and `database_roles` need the owner.
_owner_url = env.str("DATABASE_OWNER_URL", default="")
DATABASE_OWNER = _database(_owner_url) | {"SCOPE_ROLES": {}} if _owner_url else None
APPLICATION_ROLE: str = DATABASES["default"]["USER"] if DATABASE_OWNER else ""
if DATABASE_OWNER and not (
    DATABASE_OWNER["ENGINE"] == DATABASES["default"]["ENGINE"] == POSTGRESQL
    and DATABASE_OWNER["NAME"] == DATABASES["default"]["NAME"]
    and DATABASE_OWNER["USER"] != APPLICATION_ROLE
):
    raise ImproperlyConfigured(
        "DATABASE_OWNER_URL and DATABASE_URL must name two different roles of one PostgreSQL database."
    )

# --- Redis: cache, rate limits and broker; without it, memory and files ---------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
REDIS_TIMEOUT_SECONDS = env.float("REDIS_TIMEOUT_SECONDS", default=0.2)
CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "gamify",
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        },
    }

# --- limits (docs/contract.md §4): writes per participant, requests per key, failed authentications per address ------

DEFAULT_PARTICIPANT_WRITES_PER_MINUTE = env.int("PARTICIPANT_WRITES_PER_MINUTE", default=300)
DEFAULT_KEY_REQUESTS_PER_MINUTE = env.int("KEY_REQUESTS_PER_MINUTE", default=60_000)
AUTH_FAILURES_PER_MINUTE = env.int("AUTH_FAILURES_PER_MINUTE", default=60)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
METRICS_PORT, METRICS_HOST = env.int("METRICS_PORT", default=0), env.str("METRICS_HOST", default="127.0.0.1")
METRICS_NETWORKS = _networks("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])
MAX_BODY_BYTES = 1024 * 1024

# --- sweeps ----------------------------------------------------------------------------------------------------------

SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=60 if PRODUCTION else 10)
if SWEEP_SECONDS < 1:
    raise ImproperlyConfigured("SWEEP_SECONDS must be at least 1: it is the interval at which beat starts sweeps.")

# --- facts ----------------------------------------------------------------------------------------------------------

TRACE_RETENTION_DAYS = env.int("TRACE_RETENTION_DAYS", default=30)
if TRACE_RETENTION_DAYS < 1:
    raise ImproperlyConfigured("TRACE_RETENTION_DAYS must be at least 1: it is how long decision traces are stored.")

FACT_CONSUMERS = [
    "streaks.consumers.LISTENER",
    "gamify.challenges.consumers.LISTENER",
    "gamify.badges.consumers.LISTENER",
    "gamify.rules.consumers.LISTENER",
    "gamify.leaderboards.consumers.LISTENER",
]  # these react to facts, in this order
UNDO_ORDER = [
    "leaderboards",
    "rewards",
    "points",
    "tiers",
    "rules",
    "challenges",
    "streaks",
    "badges",  # last: badges compare numbers that the others take back
]  # names of `undoers`, in the order in which they take back the effects of a reversed event

REPLAY_MAX_EVENTS = env.int(
    "REPLAY_MAX_EVENTS", default=50_000
)  # events that one replay of a rule in the console reads at most

# --- webhooks and the feed ------------------------------------------------------------------------------------------

WEBHOOK_TIMEOUT_SECONDS = env.float("WEBHOOK_TIMEOUT_SECONDS", default=15.0)
if not 0 < WEBHOOK_TIMEOUT_SECONDS <= 30:
    raise ImproperlyConfigured(
        "WEBHOOK_TIMEOUT_SECONDS must be above 0 and at most 30: the lease of a delivery must be longer than an attempt."
    )
WEBHOOK_THREADS = env.int("WEBHOOK_THREADS", default=32)
if WEBHOOK_THREADS < 2:
    raise ImproperlyConfigured(
        "WEBHOOK_THREADS must be at least 2: half of them are reserved for endpoints that answer."
    )
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=not PRODUCTION)
WEBHOOK_PORTS = [int(port) for port in env.list("WEBHOOK_PORTS", default=["443", "8443"] if PRODUCTION else [])]
WEBHOOK_NETWORKS = env.list("WEBHOOK_NETWORKS", default=[] if PRODUCTION else ["127.0.0.0/8", "::1/128"])
EVENT_RETENTION_DAYS = env.int("EVENT_RETENTION_DAYS", default=30)
DELIVERY_RETENTION_DAYS = env.int("DELIVERY_RETENTION_DAYS", default=30)
if not 7 <= DELIVERY_RETENTION_DAYS <= EVENT_RETENTION_DAYS:
    raise ImproperlyConfigured(
        "DELIVERY_RETENTION_DAYS must be at least 7 (the longest time that a delivery is retried) and at most EVENT_RETENTION_DAYS."
    )
WEB_THREADS = int(env.str("WEB_THREADS", default="") or 8)
WEB_WAITING_THREADS = int(env.str("WEB_WAITING_THREADS", default="") or 2 * WEB_THREADS)
FEED_STREAMS = env.int("FEED_STREAMS", default=WEB_THREADS // 2)  # for each web process; a stream occupies a thread
FEED_STREAM_SECONDS = env.int("FEED_STREAM_SECONDS", default=60)

# --- exports --------------------------------------------------------------------------------------------------------

EXPORTS_RUNNING = env.int("EXPORTS_RUNNING", default=3)  # of one tenant, at the same time
EXPORT_HOURS = env.int("EXPORT_HOURS", default=24)  # how long a file can be fetched
if EXPORTS_RUNNING < 1 or EXPORT_HOURS < 1:
    raise ImproperlyConfigured("EXPORTS_RUNNING and EXPORT_HOURS must be at least 1.")

# --- undo -----------------------------------------------------------------------------------------------------------

UNDO_RETENTION_DAYS = env.int("UNDO_RETENTION_DAYS", default=90)
if UNDO_RETENTION_DAYS < 1:
    raise ImproperlyConfigured(
        "UNDO_RETENTION_DAYS must be at least 1: it is how long the reports of undos are stored."
    )

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["participants.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["participants.api.permissions.HasKey"],
    "DEFAULT_PARSER_CLASSES": ["participants.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["participants.api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "participants.api.schema.OperationSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "participants.api.renderers.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": [],
    "EXCEPTION_HANDLER": "gamify_project.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# --- console --------------------------------------------------------------------------------------------------------

CONSOLE_PREFIX = "/console/"
LOGIN_URL = "admin:login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "participants.admin.authorization.RoleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# django-axes: ten wrong passwords for one name from one address lock this pair for 15 minutes. gamify_project.logins slows
# down attempts on many names from one address, and on one name from many addresses.
AXES_HANDLER = "gamify_project.logins.SlowedLogins"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds; lifetime of a reset link
LOGIN_REDIRECT_URL = "admin:index"  # after a login without a `next` page
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "gamify_project.logins.login_address"
AXES_LOCKOUT_CALLABLE = "gamify_project.console.locked_out"
AXES_SENSITIVE_PARAMETERS = ["code", "present"]  # a mistyped recovery code must not be stored
AXES_ENABLE_ADMIN = False  # gamify_project.admin replaces its pages

SESSION_ENGINE = "gamify_project.sessions"
SESSION_COOKIE_NAME = "gamify_session"
SESSION_IDLE = timedelta(hours=env.float("SESSION_IDLE_HOURS", default=8))
SESSION_MAX = timedelta(hours=env.float("SESSION_MAX_HOURS", default=24))
if not timedelta(minutes=5) <= SESSION_IDLE <= SESSION_MAX:
    raise ImproperlyConfigured("SESSION_IDLE_HOURS must be at least 5 minutes (0.084) and at most SESSION_MAX_HOURS.")
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script needs it
SECOND_FACTOR_REQUIRED_FOR = env.str("SECOND_FACTOR_REQUIRED_FOR", default="none")
if SECOND_FACTOR_REQUIRED_FOR not in {"none", "superusers", "staff"}:
    raise ImproperlyConfigured("SECOND_FACTOR_REQUIRED_FOR must be none, superusers or staff.")

# --- static files, language, time -----------------------------------------------------------------------------------

STATIC_URL = "/static/"
_STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else VAR_DIR / "static"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or _STATIC_ROOT)
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = not PRODUCTION
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "gamify_project.formats"

# --- security -------------------------------------------------------------------------------------------------------

if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$", r"^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- logs, traces and errors ----------------------------------------------------------------------------------------

SENTRY_DSN = env.str("SENTRY_DSN", default="")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production" if PRODUCTION else "development")
SENTRY_TRACES_SAMPLE_RATE = env.float("SENTRY_TRACES_SAMPLE_RATE", default=0.0)
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

LOGGING_CONFIG = None
LOG_FORMAT = log_format(os.environ)
LOG_REQUESTS = env.bool("LOG_REQUESTS", default=PRODUCTION)
logging_config(level=env.str("LOG_LEVEL", default="INFO"), is_json=LOG_FORMAT == "json")
