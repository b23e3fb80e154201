sink "no type" { # ERROR NP0014: Invalid name
  type = "stdout"
}

sink "typeless" { # ERROR NP0009: Missing required argument
  path = "/var/log/x"
}

sink "kinds" {
  type = "files" # ERROR NP0049: Invalid sink
}

sink "pathless" { # ERROR NP0009: Missing required argument
  type = "file"
}

sink "relative" {
  type    = "file"
  path    = "log/flows.jsonl"    # ERROR NP0049: Invalid sink
  address = "127.0.0.1:1"        # ERROR NP0049: Invalid sink
  records = ["flows", "flow", "flow", "policy_match", "flow_purge"] # ERROR NP0049: Invalid sink # ERROR NP0011: Duplicate definition # ERROR NP0049: Invalid sink # ERROR NP0049: Invalid sink
}

sink "sizes" {
  type        = "file"
  path        = "/var/log/netpol/../x" # ERROR NP0049: Invalid sink
  queue       = "1kB"                  # ERROR NP0049: Invalid sink
  rotate_size = "ten"                  # ERROR NP0049: Invalid sink
  rotate_age  = "1"                    # ERROR NP0049: Invalid sink
  interval    = "1s"                   # ERROR NP0049: Invalid sink
  keep        = 5000                   # ERROR NP0023: Number out of range
  addresses   = "hashed"               # ERROR NP0049: Invalid sink
  names       = "none"                 # ERROR NP0049: Invalid sink
}

sink "socket" {
  type        = "unix"
  path        = "/run/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" # ERROR NP0049: Invalid sink
  rotate_size = "10MB" # ERROR NP0049: Invalid sink
}

sink "port" {
  type    = "tcp"
  address = "127.0.0.1" # ERROR NP0049: Invalid sink
}

sink "logs" {
  type      = "syslog"
  transport = "sctp" # ERROR NP0049: Invalid sink
  facility  = "local8" # ERROR NP0049: Invalid sink
  address   = ":514" # ERROR NP0049: Invalid sink
  path      = "/dev/log" # ERROR NP0049: Invalid sink
  keep      = 3 # ERROR NP0049: Invalid sink
}

sink "post" {
  type       = "http"
  url        = "https://me:secret@collector.example/" # ERROR NP0049: Invalid sink
  token_file = "token" # ERROR NP0049: Invalid sink
  compress   = "zip" # ERROR NP0049: Invalid sink
  qos        = 1 # ERROR NP0049: Invalid sink
  headers    = { Authorization = "Bearer x" } # ERROR NP0049: Invalid sink
}

sink "scheme" {
  type = "http"
  url  = "ftp://collector.example" # ERROR NP0049: Invalid sink
}

sink "broker" {
  type          = "mqtt"
  url           = "mqtts://broker.example/flows" # ERROR NP0049: Invalid sink
  topic         = "netpol/{kind}/#" # ERROR NP0049: Invalid sink
  qos           = 3 # ERROR NP0023: Number out of range
  password_file = "/etc/netpol/password" # ERROR NP0028: Conflicting arguments
}

sink "bus" {
  type             = "nats"
  url              = ["nats://bus.example", "http://bus.example", "nats://me:secret@bus.example", "nats://bus.example/netpol"] # ERROR NP0049: Invalid sink # ERROR NP0049: Invalid sink # ERROR NP0049: Invalid sink
  subject          = "netpol..{type}" # ERROR NP0049: Invalid sink
  stream           = "my.stream" # ERROR NP0049: Invalid sink
  cert_file        = "/etc/netpol/cert.pem" # ERROR NP0028: Conflicting arguments
  username         = "router"
  token_file       = "/etc/netpol/secrets/token" # ERROR NP0028: Conflicting arguments
  topic            = "netpol" # ERROR NP0049: Invalid sink
}

sink "bus without" { # ERROR NP0014: Invalid name
  type = "nats"
}

sink "kafka" {
  type     = "kafka"
  address  = ["one.example:9092", "two.example"] # ERROR NP0049: Invalid sink
  topic    = "netpol/{type}" # ERROR NP0049: Invalid sink
  key      = "name" # ERROR NP0049: Invalid sink
  sasl     = "plain" # ERROR NP0028: Conflicting arguments
  compress = "zip" # ERROR NP0049: Invalid sink
  ca_file  = "/etc/netpol/ca.pem" # ERROR NP0049: Invalid sink
  qos      = 1 # ERROR NP0049: Invalid sink
}

sink "kafka-less" { # ERROR NP0009: Missing required argument
  type = "kafka"
}

sink "web" {
  type        = "websocket"
  address     = "7443" # ERROR NP0049: Invalid sink
  path        = "/flows?x=1" # ERROR NP0049: Invalid sink
  ca_file     = "/etc/netpol/ca.pem" # ERROR NP0028: Conflicting arguments
  origins     = ["*", "https://", "dashboard.example/x", "https://dashboard.example"] # ERROR NP0049: Invalid sink # ERROR NP0049: Invalid sink # ERROR NP0049: Invalid sink
  max_clients = 0 # ERROR NP0023: Number out of range
  token_file  = "/etc/netpol/secrets/token" # ERROR NP0049: Invalid sink
}

sink "webless" { # ERROR NP0009: Missing required argument
  type = "websocket"
}

sink "spooled" {
  type  = "nats"
  url   = "nats://bus.example"
  spool = "/var/lib/netpol/spool/x" # ERROR NP0049: Invalid sink
}

sink "spooled-too" {
  type       = "mqtt"
  url        = "mqtt://broker.example"
  spool      = "/var/lib/netpol/spool/x" # ERROR NP0049: Invalid sink
  spool_size = "1kB" # ERROR NP0049: Invalid sink
}

sink "spool-less" {
  type       = "http"
  url        = "https://collector.example"
  spool_size = "1GB" # ERROR NP0028: Conflicting arguments
}

sink "spool-where" {
  type  = "http"
  url   = "https://collector.example"
  spool = "spool" # ERROR NP0049: Invalid sink
}

sink "spool-no" {
  type  = "file"
  path  = "/var/log/netpol/a"
  spool = "/var/lib/netpol/spool/y" # ERROR NP0049: Invalid sink
}

sink "busless" { # ERROR NP0009: Missing required argument
  type = "nats"
}

sink "grpc" {
  type = "otlp"
  url  = "http://collector.example:4317" # ERROR NP0049: Invalid sink
}

sink "grpc-port" {
  type      = "otlp"
  url       = "http://collector.example:4318" # ERROR NP0049: Invalid sink
  transport = "grpc"
}

sink "grpc-path" {
  type      = "otlp"
  url       = "https://collector.example:4317/v1/logs" # ERROR NP0049: Invalid sink
  transport = "grpc"
}

sink "grpc-scheme" {
  type = "otlp"
  url  = "grpcs://collector.example:4317" # ERROR NP0049: Invalid sink
}

sink "grpc-transport" {
  type      = "otlp"
  url       = "https://collector.example:4317"
  transport = "grcp" # ERROR NP0049: Invalid sink
}

sink "signal" {
  type = "otlp"
  url  = "https://collector.example/otlp/v1/logs" # ERROR NP0049: Invalid sink
}

sink "query" {
  type = "otlp"
  url  = "https://collector.example/otlp?key=7" # ERROR NP0049: Invalid sink
}

sink "collectorless" { # ERROR NP0009: Missing required argument
  type = "otlp"
}

sink "collector" {
  type     = "otlp"
  url      = "ftp://collector.example" # ERROR NP0049: Invalid sink
  encoding = "json"                    # ERROR NP0049: Invalid sink
  resource = { site = "" }             # ERROR NP0049: Invalid sink
}

sink "secretive" {
  type         = "mqtt"
  url          = "mqtt://broker.example"
  headers_file = "/etc/netpol/secrets/headers" # ERROR NP0049: Invalid sink
}

sink "relative" {
  type         = "http"
  url          = "https://collector.example"
  headers_file = "headers" # ERROR NP0049: Invalid sink
}

sink "resourceful" {
  type     = "http"
  url      = "https://collector.example"
  resource = { site = "7" } # ERROR NP0049: Invalid sink
}

sink "good" {
  type = "stdout"
}

sink "good" { # ERROR NP0011: Duplicate definition
  type = "stdout"
}

policy "twice" {
  criteria = "app == 'zoom'"
  notify   = ["good", "good"] # ERROR NP0011: Duplicate definition
}
