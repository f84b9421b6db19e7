# One image for every process: web, collect, render, and the job that migrates.

FROM python:3.12-slim AS build
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin watchfloor \
 && install -d -o watchfloor -g watchfloor -m 0700 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data STATIC_ROOT=/app/collected-static
# The settings need a key and a folder; neither stays in the image.
RUN SECRET_KEY=build DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/build \
 && python -m compileall -q .
USER watchfloor
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
# Alone, the container is a whole system on SQLite; compose.yaml runs one process in each instead.
# (STATIC_ROOT in DATA_DIR, because starting the whole system collects anew.)
CMD ["env", "-u", "STATIC_ROOT", "python", "-m", "dashboard_project.run"]
