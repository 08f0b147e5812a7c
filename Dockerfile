# The skill at an HTTPS address of your own: gunicorn on port 8080, for a load balancer that ends TLS in front of it.
#   docker build -t linked-profile . && docker run -p 8080:8080 -e SKILL_ID=… -e ACCOUNT_MAPPINGS_TABLE=… linked-profile
FROM python:3.13.9-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app

COPY requirements.txt requirements-https.txt ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --no-deps -r requirements.txt -r requirements-https.txt

COPY lambda/ ./

# A number, because orchestrators cannot tell from a name that it is not root's.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
# /dev/shm: the heartbeat of the workers must not wait for a disk. Idle connections stay longer than load balancers keep them (60 s),
# so that none is closed here just when a request comes over it.
CMD ["gunicorn", "--bind", "0.0.0.0:8080", "--workers", "4", "--threads", "8", "--keep-alive", "75", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "wsgi:application"]
