locals {
  calls = ["zoom", "webex"]
  homes = {
    kids   = { net = "192.168.1.64/26", dscp = "cs1", ports = [80, 443] }
    guests = { net = "192.168.2.0/24", dscp = 0, ports = [] }
  }
}

variable "limit" {
  default = 1.5
}

policy "list" {
  for_each    = local.calls
  description = "${each.key} first"
  criteria    = "app == ${each.value} and len(hostname) > ${length(each.key)}"
  label       = each.key
}

policy "map" {
  for_each = local.homes
  criteria = [
    "local_ip in ${each.value.net} and dst_port in ${each.value.ports}",
    "hostname == ${"it's \\ \"${each.key}\"\n"}",
    "detection_guessed == ${each.key == "kids"}",
  ]
  exempt  = "app in ${local.calls} or src_port == ${-1}"
  labels  = ["home", "home-${each.key}"]
  dscp    = each.value.dscp
  mark    = "0x${length(each.value.ports)}/0xff"
  enabled = each.key != "guests"
}

policy "none" {
  for_each = []
  criteria = "app == ${each.value}"
  label    = "none"
}

policy "set" {
  for_each = toset(["b", "a", "b"])
  criteria = "hostname == ${each.value}"
  label    = each.value
}

policy "numbers" {
  for_each = range(2)
  criteria = <<-EOT
    src_port == ${each.key}
      or http_user_agent == ${var.limit}
  EOT
  label    = "n${each.value}"
}
