FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      build-essential default-libmysqlclient-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements/dolt.txt /tmp/
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/dolt.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home pollard
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    POLLARD_ENGINE=dolt \
    POLLARD_BIND=0.0.0.0:8000
WORKDIR /app
COPY manage.py ./
COPY config config
COPY polls polls
COPY versioning versioning
COPY templates templates
COPY static static
COPY deploy deploy
# The key is for this command alone: the site gets its own when it starts.
RUN POLLARD_SECRET_KEY=for-collecting-static-files-only \
    python manage.py collectstatic --no-input --verbosity=0
USER pollard
EXPOSE 8000
CMD ["gunicorn", "--config=deploy/gunicorn.conf.py"]
