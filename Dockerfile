# Optin without its tests. Settings come from the environment: see docs/configuration.md.
FROM python:3.13-slim AS packages
WORKDIR /opt/optin
COPY requirements.lock ./
RUN python -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home optin \
 && install --directory --owner optin /opt/optin/data /opt/optin/heads
WORKDIR /opt/optin
COPY --from=packages /opt/optin/.venv .venv
COPY manifest.yml ./
COPY bot bot
COPY handlers handlers
COPY storage storage
COPY sandbox sandbox
ENV PATH=/opt/optin/.venv/bin:$PATH PYTHONPATH=/opt/optin PYTHONUNBUFFERED=1
USER 10001
# The heads do not lie beside the storage: they must not be restored together with it.
ENV OPTIN_HEAD_FILE=/opt/optin/heads/optin.heads
VOLUME /opt/optin/data /opt/optin/heads
EXPOSE 3000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:3000/healthz')"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve", "--host", "0.0.0.0", "--port", "3000"]
