netpol {
  local_networks  = ["203.0.113.0/24", "2001:db8::/32"]
  hold_packets    = 32
  hold_queue      = 200
  hold_mark       = "0xf0000"
  log_group       = 100
  inspect_packets = 16
  done_mark       = "0x40000000"
  priority        = -5
  exempt          = ["dst_port == 53", "src_port == 53"]
}

variable "office" {
  default     = "192.0.2.0/24"
  description = "Our office"
}

variable "apps" {
  type    = list
  default = ["zoom", "teams"]
}

variable "more" {
  type    = list(string)
  default = []
}

variable "fast" {
  type    = "bool"
  default = true
}

locals {
  video = "app == 'zoom'"
  both  = local.video
  names = [for a in var.apps : "x-${a}"]
}

address_group "office" {
  description = "Everyone at work"
  members     = [var.office, "2001:db8::1", "@printers"]
}

address_group "printers" {
  members = []
}

application "intranet" {
  brand       = "our-house"
  name        = "Intranet"
  category    = "own"
  description = "At home"
  domains     = ["Intra.Example.COM.", "xn--nxasmq6b.example"]
  networks    = ["203.0.113.0/24", "2001:db8::1"]
  ports       = ["tcp/443", "udp/8801-8810", "sctp/1-65535"]
  override    = true
  signatures  = ["cert-issuer CN=Intra Root", "http-agent Intranet/*"]
}

category "own" {}

policy "video: first (1)" {
  description = "Video calls"
  enabled     = var.fast
  criteria    = local.both
  exempt      = "src_ip == '@office'"
  labels      = local.names
  mark        = "0x10/0xff"
  dscp        = "CS5"
  verdict     = "accept"
}

policy "numbers" {
  criteria = ["app == 'zoom'", local.video]
  label    = "z"
  mark     = 7
  dscp     = 63
}

policy "same code point" {
  criteria = ("app == 'zoom'")
  dscp     = 46
}

policy "heredoc" {
  criteria = <<EOT
app == 'zoom'
EOT
  verdict  = "drop"
}
