# The operator's image: docker build -t <registry>/failover-operator .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish operator/FailoverOperator -c Release -p:ForImage=true -p:EnforceCodeStyleInBuild=false -o /app

# Self-contained: nothing but what the runtime loads, no shell.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /app .
# The base image knows no time zones; failback.timeZone names them.
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
# Without a bound the youngest objects alone fill as much memory as the processor caches.
ENV DOTNET_EnableDiagnostics=0 DOTNET_GCgen0size=0x1000000
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/FailoverOperator"]
