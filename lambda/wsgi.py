"""Entry point for WSGI servers: `gunicorn --chdir lambda wsgi:application`."""

from linked_profile.bootstrap import build_handler
from linked_profile.https_endpoint import build_https_endpoint
from linked_profile.settings import Settings
from linked_profile.wsgi_application import log_to_stderr, wsgi_application

log_to_stderr()
settings = Settings.from_environ()
application = wsgi_application(build_https_endpoint(settings, build_handler(settings)))
