variable "collector" {
  default = "127.0.0.1:7171"
}

sink "events" {
  description = "for the collector"
  type        = "file"
  path        = "/var/log/netpol/events.jsonl"
  records     = ["flow_end", "flow_stats"]
  when        = ["category == 'streaming-media'", "app == 'zoom'"]
  interval    = "30s"
  queue       = "4MB"
  rotate_size = "100MB"
  rotate_age  = "24h"
  keep        = 7
  addresses   = "hash"
  names       = "domain"
}

sink "live" {
  type    = "tcp"
  address = var.collector
  records = "flow"
}

sink "log" {
  type      = "syslog"
  transport = "unix"
  path      = "/dev/log"
  facility  = "local3"
}

sink "post" {
  type       = "http"
  url        = "https://collector.example/flows"
  token_file = "/etc/netpol/secrets/token"
  headers    = { X-Site = "7" }
  compress   = "gzip"
  encoding   = "msgpack"
  records    = "flow_end"
}

sink "broker" {
  type          = "mqtt"
  url           = "mqtts://broker.example"
  topic         = "netpol/{router}/{type}"
  qos           = 1
  username      = "router"
  password_file = "/etc/netpol/secrets/mqtt"
}

sink "bus" {
  type             = "nats"
  url              = ["tls://one.example", "tls://two.example:4443"]
  subject          = "netpol.{router}.{type}"
  stream           = "NETPOL"
  ca_file          = "/etc/netpol/ca.pem"
  cert_file        = "/etc/netpol/cert.pem"
  key_file         = "/etc/netpol/secrets/key.pem"
  credentials_file = "/etc/netpol/secrets/nats.creds"
  spool            = "/var/lib/netpol/spool/bus"
  spool_size       = "100MB"
}

sink "log-of-kafka" {
  type          = "kafka"
  address       = ["one.example:9092", "two.example:9092"]
  transport     = "tls"
  ca_file       = "/etc/netpol/ca.pem"
  username      = "router"
  password_file = "/etc/netpol/secrets/kafka"
  topic         = "netpol.{type}"
  compress      = "zstd"
  spool         = "/var/lib/netpol/spool/kafka"
}

sink "dashboard" {
  type        = "websocket"
  address     = ":7443"
  path        = "/flows"
  cert_file   = "/etc/netpol/cert.pem"
  key_file    = "/etc/netpol/secrets/key.pem"
  origins     = ["https://dashboard.example", "*.intranet.example:8080"]
  max_clients = 8
}

policy "zoom" {
  criteria = "app == 'zoom'"
  notify   = ["events", "live"]
}

sink "collector" {
  type               = "ipfix"
  address            = "192.0.2.1:4739"
  records            = ["flow_stats", "flow_end"]
  message_size       = 512
  observation_domain = 3
  enterprise         = 9999
  template_interval  = "5m"
  template_messages  = 20
}

sink "secured" {
  type      = "syslog"
  transport = "tls"
  address   = "192.0.2.1:6514"
  ca_file   = "/etc/ssl/ca.pem"
}

sink "datagrams" {
  type     = "udp"
  address  = "192.0.2.1:7171"
  encoding = "msgpack"
  records  = "flow_end"
}

sink "local-datagrams" {
  type    = "unixgram"
  path    = "/run/collector.sock"
  records = "flow_end"
}

sink "archive" {
  type     = "file"
  path     = "/var/log/netpol/flows.jsonl.zst"
  compress = "zstd"
}

sink "opentelemetry" {
  type         = "otlp"
  url          = "https://collector.example:4318/otlp"
  token_file   = "/etc/netpol/secrets/token"
  compress     = "gzip"
  headers      = { X-Site = "7" }
  headers_file = "/etc/netpol/secrets/headers"
  resource     = { "deployment.environment.name" = "branch", site = "7" }
  records      = ["flow_end", "interface_stats"]
  spool        = "/var/lib/netpol/spool/opentelemetry"
}

sink "batched" {
  type     = "nats"
  url      = "nats://broker.example"
  batch    = 200
  compress = "zstd"
}

sink "short" {
  type    = "mqtt"
  url     = "mqtts://broker.example"
  qos     = 1
  records = ["flow", "flow_update", "flow_end"]
  details = "once"
}

sink "opentelemetry-grpc" {
  type      = "otlp"
  url       = "https://collector.example:4317"
  transport = "grpc"
  compress  = "gzip"
  records   = "flow_end"
}
