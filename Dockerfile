# syntax=docker/dockerfile:1
# One image for web server, worker, beat and every command; compose.yaml says which runs where.

FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
COPY requirements.txt /tmp/requirements.txt
RUN pip install --require-hashes --requirement /tmp/requirements.txt

WORKDIR /app
COPY . .
# Static files are named by their content and compressed here, once. Production wants a secret; this one signs nothing.
RUN python -m compileall -q /app \
 && GAMIFY_ENV=production GAMIFY_VAR=/tmp/var \
    SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    python manage.py collectstatic --noinput


FROM python:3.12-slim

RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin gamify \
 && install --directory --owner gamify --group gamify /var/lib/gamify
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GAMIFY_ENV=production \
    GAMIFY_VAR=/var/lib/gamify \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
USER 10001:10001
VOLUME /var/lib/gamify
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "scripts/healthcheck.py"]
CMD ["gunicorn", "--config", "python:gamify_project.process.gunicorn_config", "gamify_project.wsgi"]
