FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:26-slim
WORKDIR /app
RUN install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
# The root file system may be read-only: SQLite's temporary files go where its data is. A smaller
# young generation saves some 50 MB under load and costs a little time, as in "npm start". One heap of
# malloc for all threads, instead of one for each that keeps what it once needed, saves some 20 MB.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=8 \
    MALLOC_ARENA_MAX=1 \
    DATABASE_URL=sqlite:////data/messages.db \
    SQLITE_TMPDIR=/data
# No start may write what it compiles, so it is here already: a start takes half the time and 50 MB
# less. It counts for this user, and on another kind of processor it is compiled anew.
RUN install -d -o 1000 -g 1000 node_modules/.cache/compiled
USER 1000:1000
RUN PORT=0 DATABASE_URL=sqlite:// READ_ACCESS=local timeout --preserve-status 5 node src/main.cjs serve
USER root
RUN chown -R root:root node_modules/.cache && chmod -R a+rX node_modules/.cache
# By number, so that an orchestrator can tell it is not root: the image's user "node".
USER 1000:1000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Ready and not only live: Docker knows one kind of health and does not restart what lacks it, and
# who waits for it wants to send messages. Where unhealthy means restarted, ask /health/live: a new
# process cures neither a full disk nor a missing secret, and after a failed disk it ends by itself.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without a core dump where it crashes, on whatever engine: messages and secrets are in its memory.
CMD ["/bin/sh", "-c", "ulimit -c 0 && exec node src/main.cjs serve"]
