"""Settings, all from the environment. `docs/settings.md` describes each of them to operators."""

import hashlib
import os
import secrets
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dashboard_project import build, env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are ---------------------------------------------------------------------------------

DATA_DIR = env.path("DATA_DIR", BASE_DIR / ".data", "Folder for everything this installation writes.")
HOST = env.text("HOST", "127.0.0.1", "Address the web process listens on; 0.0.0.0 for every network.")
PORT = env.integer("PORT", 8000, "Port the web process listens on.", least=1, most=65535)
WEB_URL = env.url(
    "WEB_URL", f"http://127.0.0.1:{PORT}", "Where the demo's own check finds a web process.", schemes=("http", "https")
)
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD", "", "Password of the user admin; one is made up when it is not given.")
DEBUG = env.flag("DEBUG", False, "Django's debug pages. Never on a network.")


def _secret_key() -> str:
    """The key from the environment, else one made once and kept in DATA_DIR, readable by its owner only."""
    given = env.text("SECRET_KEY", "", "Signs sessions; made up and kept in DATA_DIR when it is not given.")
    if given:
        return given
    file = DATA_DIR / "secret_key"
    try:
        DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR {DATA_DIR} can't be written ({error.strerror}).") from None
    try:
        return file.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"{file} can't be read ({error.strerror}).") from None


SECRET_KEY = _secret_key()

SECRET_KEY_FALLBACKS = env.items(
    "SECRET_KEY_FALLBACKS",
    [],
    "Earlier values of SECRET_KEY, with which what they signed and encrypted stays readable.",
)


def _local_redis_socket() -> Path:
    """Where the Redis that `make run` starts listens: in DATA_DIR, unless that path is too long for a socket."""
    inside = DATA_DIR / "redis.sock"
    if len(os.fsencode(inside)) < 100:  # sockaddr_un holds 108 bytes, and Redis appends to it while it starts
        return inside
    digest = hashlib.sha256(os.fsencode(DATA_DIR)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"watchfloor-{os.getuid()}-{digest}" / "redis.sock"


LOCAL_REDIS_SOCKET = _local_redis_socket()
REDIS_URL = env.url(
    "REDIS_URL",
    f"unix://{LOCAL_REDIS_SOCKET}",
    "Redis for queues and live pages. Without it, `make run` starts one of its own.",
    schemes=("redis", "rediss", "unix"),
)
REDIS_IS_LOCAL = REDIS_URL == f"unix://{LOCAL_REDIS_SOCKET}"

DATABASE_URL = env.url(
    "DATABASE_URL",
    f"sqlite:///{DATA_DIR / 'watchfloor.sqlite3'}",
    "PostgreSQL in production; an SQLite file in DATA_DIR without it.",
    schemes=("postgres", "postgresql", "sqlite"),
)
DATABASE_POOL = env.integer("DATABASE_POOL", 10, "Most PostgreSQL connections of one process.", least=1, most=500)


def _database() -> dict[str, object]:
    database: dict[str, object] = dict(dj_database_url.parse(DATABASE_URL))
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {
            # Writers queue at BEGIN instead of failing half-way through; readers never wait for them.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        database["TEST"] = {"NAME": DATA_DIR / "tests.sqlite3"}  # in memory, writers would not wait for each other
    else:
        database["ENGINE"] = "dashboard_project.postgresql"
        # A connection that the network forgot ends within 10 s if something was sent over it, else within 20 s.
        forgotten = {
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
        }
        # The pool gives up soon, and connects at once when asked: else it tries ever more seldom, and finds out late.
        pool = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5, "reconnect_timeout": 5}
        database["CONN_HEALTH_CHECKS"] = True  # one that the server ended meanwhile is not handed out
        given = database.get("OPTIONS")
        database["OPTIONS"] = {
            **forgotten,
            **(given if isinstance(given, dict) else {}),
            "connect_timeout": 5,
            "pool": pool,
        }
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django -------------------------------------------------------------------------------------------

ALLOWED_HOSTS = env.items(
    "ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]", socket.gethostname().lower()],
    "Host names this installation answers to.",
)
PUBLIC_URL = env.url("PUBLIC_URL", "", "Address people open, when a proxy stands in front.", schemes=("http", "https"))
if PUBLIC_URL:
    _public = urlsplit(PUBLIC_URL)
    ALLOWED_HOSTS += [_public.hostname or ""]
    CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
TRUSTED_PROXIES = env.networks(
    "TRUSTED_PROXIES", "Addresses and networks of proxies on other machines, whose X-Forwarded headers are believed."
)
REQUEST_SECONDS = env.integer(
    "REQUEST_SECONDS", 60, "How long a request may take to arrive, headers and body.", least=1, most=3600
)
BEHIND_TLS = PUBLIC_URL.startswith("https://")
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HSTS_SECONDS = env.integer(
    "HSTS_SECONDS", 31_536_000, "How long browsers come over TLS only, once they came by an https:// PUBLIC_URL."
)
SECURE_HSTS_SECONDS = HSTS_SECONDS if BEHIND_TLS else 0
# Redirecting to TLS is the proxy's work, and what other hosts of the domain speak is none of ours.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_ENGINE = "dashboard_project.sessions"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
EMBED_SITES = env.origins("EMBED_SITES", "Sites whose pages may show, in a frame, what a link to a dashboard opens.")

INSTALLED_APPS = [
    "dashboard_project",  # before staticfiles, whose `runserver` serves no sockets
    "django.contrib.admin.apps.SimpleAdminConfig",  # its pages are imported with the URLs, and by web processes alone
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",  # for its command and its migration: the table is ours
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "axes",
    "metrics",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dashboard_project.frames.answer_with_room",
    "django.middleware.gzip.GZipMiddleware",  # behind WhiteNoise, whose files are compressed already
    "dashboard_project.sign_in.keep_nothing",
    "metrics.api.paths.forgive",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "metrics.views.health.answer_first",
    "dashboard_project.sessions.RarelyRenewed",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard_project.sign_in.reload_signed_out",
    "axes.middleware.AxesMiddleware",
    "metrics.views.notifications.read_opened",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
ROOT_URLCONF = "dashboard_project.urls"
ASGI_APPLICATION = "dashboard_project.asgi.application"
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
                "metrics.views.menu.current",
                "metrics.views.notice.current",
            ],
        },
    }
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.read(
    "TIME_ZONE",
    "UTC",
    "Time zone of the times shown on pages, such as Europe/Zurich.",
    lambda raw: str(ZoneInfo(raw)),
    "the name of a time zone such as Europe/Zurich",
)
USE_TZ = True

AXES_FAILURE_LIMIT = env.integer("SIGN_IN_FAILURES", 5, "Failed sign-ins before a pause.", least=1)
SIGN_IN_FAILURES_PER_ADDRESS = env.integer(
    "SIGN_IN_FAILURES_PER_ADDRESS", 50, "Failed sign-ins from one address before all of it has a pause.", least=1
)
AXES_HANDLER = "dashboard_project.sign_in.Pauses"
AXES_COOLOFF_TIME = 0.25  # hours
# A pause ends though somebody goes on trying: or else one at an address could keep all others there out.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "dashboard_project.sign_in.username"
AXES_CLIENT_IP_CALLABLE = "dashboard_project.sign_in.counted_address"
AXES_LOCKOUT_TEMPLATE = "access/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Django's admin and the API docs draw icons as data: URLs
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Static files -------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static", "Where collected static files are kept.")
# ninja is no installed app, or else every worker would import all of the API; its files are found all the same.
_ninja = find_spec("ninja")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(("ninja", Path(path) / "static" / "ninja") for path in (_ninja and _ninja.submodule_search_locations) or ()),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard_project.storage.StaticStorage"},
    # Every web process serves what any of them was sent, on whichever host it runs.
    "attachments": {
        "BACKEND": env.text(
            "ATTACHMENTS_STORAGE",
            "metrics.files.DatabaseStorage",
            "Class that keeps the files of rooms, as in Django's STORAGES; every process has to reach them.",
        )
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
BUILD_ID = env.text("BUILD_ID", "", "Name of this build; a digest of the program when it is not given.") or build.name()

# --- Live pages ---------------------------------------------------------------------------------------

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "driver_info": None}], "prefix": "wf"},
    }
}

EXTEND_DAPHNE = env.flag(
    "EXTEND_DAPHNE", True, "Whether the web process replaces parts of Daphne, once a self-test has shown that they fit."
)
COMPRESS_FRAMES = env.flag(
    "COMPRESS_FRAMES", True, "Whether frames are compressed for clients that offer permessage-deflate."
)
SOCKETS_PER_PROCESS = env.integer("SOCKETS_PER_PROCESS", 10_000, "Most open pages of one web process.", least=1)
SOCKETS_PER_USER = env.integer("SOCKETS_PER_USER", 1_000, "Most open pages of one user or token, per process.", least=1)
EXTENSIONS = env.items("EXTENSIONS", [], "Folders and modules with WebSocket consumers of your own.")

# --- Pushing ------------------------------------------------------------------------------------------

PUSH_BODY_LIMIT_BYTES = env.integer(
    "PUSH_BODY_LIMIT_BYTES", 1024 * 1024, "Largest body of one push, as it arrives and unpacked.", least=1024
)
PUSH_SAMPLES_PER_MINUTE = env.integer(
    "PUSH_SAMPLES_PER_MINUTE", 120_000, "Most samples one token may push in a minute.", least=1
)
MESSAGES_PER_MINUTE = env.integer(
    "MESSAGES_PER_MINUTE", 1_200, "Most messages, changes of them and notifications one token may send.", least=1
)
STATSD_PORT = env.integer("STATSD_PORT", 0, "UDP port that StatsD's readings are taken on; 0 for none.", most=65535)
STATSD_HOST = env.text("STATSD_HOST", "127.0.0.1", "Address of that port; 0.0.0.0 for every network.")
PING_BODY_LIMIT_BYTES = env.integer("PING_BODY_LIMIT_BYTES", 10_000, "How much of a ping's body is kept.", most=100_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * PUSH_BODY_LIMIT_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # the form of places has five for each of 200 widgets

# --- Rooms --------------------------------------------------------------------------------------------

FILE_LIMIT_BYTES = env.integer(
    "FILE_LIMIT_BYTES", 10 * 1024**2, "Largest file in a room.", least=1024, most=200 * 1024**2
)
ROOM_FILES_LIMIT_BYTES = env.integer(
    "ROOM_FILES_LIMIT_BYTES", 1024**3, "Most that the files of a room may take together.", least=1024, most=2**50
)

# --- Collecting -----------------------------------------------------------------------------------------

PLUGIN_MEMORY_BYTES = env.integer(
    "PLUGIN_MEMORY_BYTES",
    1024**3,
    "Memory that each process of a plug-in or a monitoring check may take.",
    least=64 * 1024**2,
    most=2**40,
)

ALLOW_PRIVATE_ADDRESSES = env.flag(
    "ALLOW_PRIVATE_ADDRESSES",
    False,
    "Whether sources of people who are not administrators may connect to private networks.",
)

NAGIOS_PLUGINS_DIR = env.path_or_none("NAGIOS_PLUGINS_DIR", "Folder of checks that sources may run.")
PLUGINS_DIR = env.path("PLUGINS_DIR", DATA_DIR / "plugins", "Folder of Python files with functions of your own.")
SQLITE_DIRS = env.paths("SQLITE_DIRS", "Folders in which SQLite files may be read as sources.")

# --- Telling people outside ------------------------------------------------------------------------------

EMAIL_URL = env.url(
    "EMAIL_URL",
    "",
    "Mail server of channels that name none, such as smtp+starttls://user:password@mail.example.com:587.",
    schemes=("smtp+starttls", "smtps", "smtp"),
)
WATCHDOG_URL = env.url(
    "WATCHDOG_URL",
    "",
    "Address that gets a POST every minute while alerts are evaluated and told; who hears nothing, tells you.",
    schemes=("http", "https"),
)
EMAIL_FROM = env.text(
    "EMAIL_FROM",
    f"watchfloor@{(PUBLIC_URL and urlsplit(PUBLIC_URL).hostname) or socket.gethostname().lower()}",
    "Address that mail comes from.",
)

# --- History ------------------------------------------------------------------------------------------

SERIES_PER_SOURCE = env.integer("SERIES_PER_SOURCE", 10_000, "Most series of one source.", least=1)
SERIES_TOTAL = env.integer("SERIES_TOTAL", 200_000, "Most series in all.", least=1)
RAW_RETENTION_HOURS = env.integer("RAW_RETENTION_HOURS", 48, "Hours to keep every sample.", least=1, most=876_000)
MINUTE_RETENTION_DAYS = env.integer(
    "MINUTE_RETENTION_DAYS", 30, "Days to keep the rollups of minutes.", least=1, most=36_500
)
HOUR_RETENTION_DAYS = env.integer(
    "HOUR_RETENTION_DAYS", 730, "Days to keep the rollups of hours.", least=1, most=36_500
)

ALERT_EVENTS_DAYS = env.integer(
    "ALERT_EVENTS_DAYS", 7, "Days to keep events of alerts, for programs that follow them.", least=1, most=365
)

# --- Celery -------------------------------------------------------------------------------------------

CELERY_BROKER_URL = (
    f"redis+socket://{REDIS_URL.removeprefix('unix://')}?virtual_host=0" if REDIS_URL.startswith("unix:") else REDIS_URL
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "priority_steps": [0],  # no message goes before others of its queue
    "global_keyprefix": "wf:celery:",
    # Every message is worthless soon and sent again, so what a killed worker had taken need not come back later.
    # To note each in Redis, and to take the note back, costs more than most tasks. The limit of what is taken stays.
    "ack_emulation": False,
    "queue_order_strategy": "priority",  # of a worker's queues, the one named first is emptied first
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # To open the file costs more than most tasks. PostgreSQL has a pool, which threads must give back to.
    CELERY_DB_REUSE_MAX = 1000
CELERY_IMPORTS = [
    "tasks.access",
    "tasks.alerts",
    "tasks.collect",
    "tasks.dashboards",
    "tasks.deliveries",
    "tasks.heartbeats",
    "tasks.idempotency",
    "tasks.notifications",
    "tasks.pictures",
    "tasks.render",
    "tasks.rollup",
    "tasks.rooms",
    "tasks.system",
    "tasks.watchdog",
]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_DEFAULT_QUEUE = "collect"
CELERY_TASK_ROUTES = {
    # The worker that renders serves this queue, and serves it first: see queue_order_strategy.
    "tasks.system.*": {"queue": "system"},
    "tasks.deliveries.deliver": {"queue": "system"},
    "tasks.deliveries.load": {"queue": "system"},
    "tasks.render.*": {"queue": "render"},
    # Sources that hang may fill this queue's threads, so it delays neither of the others.
    "tasks.*": {"queue": "collect"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Neither changes anything here, since no task acknowledges late and none is prefetched; unset, each says so at length
# whenever Redis goes away.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_ENABLE_PREFETCH_COUNT_REDUCTION = False
CELERY_BEAT_SCHEDULER = "dashboard_project.celery:Beat"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE = {
    # A message that waited longer than its period is worthless: it expires instead of filling Redis.
    "tick": {"task": "tasks.system.tick", "schedule": 1.0, "options": {"expires": 5}},
    "forget_sessions": {"task": "tasks.access.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "forget": {"task": "tasks.idempotency.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "forget-drafts": {"task": "tasks.dashboards.forget_drafts", "schedule": 3600.0, "options": {"expires": 600}},
    "forget-deleted": {"task": "tasks.dashboards.forget_deleted", "schedule": 3600.0, "options": {"expires": 600}},
    "forget-deliveries": {"task": "tasks.deliveries.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "watchdog": {"task": "tasks.watchdog.beat", "schedule": 60.0, "options": {"expires": 30}},
    "heartbeats": {"task": "tasks.system.heartbeats", "schedule": 5.0, "options": {"expires": 10}},
    "heartbeats_pruned": {"task": "tasks.heartbeats.prune", "schedule": 600.0, "options": {"expires": 600}},
    "prune_runs": {"task": "tasks.collect.prune", "schedule": 60.0, "options": {"expires": 60}},
    "keep_rooms": {"task": "tasks.rooms.keep", "schedule": 3600.0, "options": {"expires": 600}},
    "prune_pictures": {"task": "tasks.pictures.prune", "schedule": 3600.0, "options": {"expires": 600}},
    "plugins": {"task": "tasks.collect.follow_plugins", "schedule": 5.0, "options": {"expires": 5}},
    "ask_calendars": {"task": "tasks.alerts.ask_calendars", "schedule": 60.0, "options": {"expires": 60}},
    "look_ahead": {"task": "tasks.alerts.look_ahead", "schedule": 3600.0, "options": {"expires": 600}},
    "look_at_series": {"task": "tasks.system.look_at_series", "schedule": 10.0, "options": {"expires": 10}},
    "walls": {"task": "tasks.system.walls", "schedule": 60.0, "options": {"expires": 30}},
    "keep": {"task": "tasks.rollup.keep", "schedule": 60.0, "options": {"expires": 60}},
}

# --- Logging ------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", "Least severe messages to log.", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_JSON = env.flag("LOG_JSON", False, "Log one JSON object a line, for log collectors.")

from dashboard_project.logs import logging_config

LOGGING = logging_config(LOG_LEVEL, LOG_JSON)
