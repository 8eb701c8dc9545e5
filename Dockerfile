# docker build --build-arg VERSION=1.0.0 -t redyn .
#
# The image holds the program and the public certificate authorities. It serves with settings from
# the environment (REDYN_REDIS_URL=redis://redis:6379/0 ...); any other command works as well:
# docker run --rm redyn zone list --redis-url ...
# PowerDNS in another container needs REDYN_BACKEND_LISTEN=0.0.0.0:8053 and REDYN_BACKEND_ALLOW, or a
# volume that both share and uid 65532 may write to, with REDYN_BACKEND_UNIX on it, and
# REDYN_BACKEND_UNIX_MODE=0666 unless both have a group in common. Hosts that update their addresses need
# REDYN_UPDATER_LISTEN=0.0.0.0:8080, and TLS or a proxy in front.

ARG BUILD_IMAGE=golang:1.26
ARG RUN_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/redyn ./cmd/redyn
RUN mkdir -m 1777 /out/tmp

FROM ${RUN_IMAGE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out /
USER 65532:65532
EXPOSE 8053 8054 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/redyn", "health"]
ENTRYPOINT ["/redyn"]
CMD ["serve"]
