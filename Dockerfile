# One image for api, worker and listener: the command says which. Node runs the sources; nothing is built.

FROM node:26-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY libs/ libs/
COPY apps/ apps/
# Only these decide what is installed, so that a change of code leaves the next stage cached.
RUN find libs apps -type f ! -name package.json -delete && find libs apps -type d -empty -delete

FROM node:26-slim AS packages
WORKDIR /app
COPY --from=manifests /app ./
# The image has its Node; the one that npm would bring is for development.
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM node:26-slim
ENV NODE_ENV=production \
    RUNNEL_DATA=/data
WORKDIR /app
COPY --from=packages /app/ ./
COPY libs/ libs/
COPY apps/ apps/
# Small Python helpers start commands ten times as fast as Node itself does.
RUN apt-get update && apt-get install -y --no-install-recommends python3 && \
    rm -rf /var/lib/apt/lists/*
RUN mkdir /data && chown node:node /data
# The user "node"; by number, because runAsNonRoot of Kubernetes can't check a name.
USER 1000:1000
VOLUME /data
EXPOSE 2503
CMD ["node", "apps/api/src/main.ts"]
