# A provider: tariffs of customers, protection of the network.

locals {
  tariffs = {
    gold   = { net = "100.64.0.0/18", dscp = "af21" }
    silver = { net = "100.64.64.0/18", dscp = "af11" }
    bronze = { net = "100.64.128.0/18", dscp = "cs0" }
  }
}

variable "abuse" {
  type    = list(string)
  default = ["198.51.100.0/24", "203.0.113.64/26"]
}

address_group "abuse" {
  members = var.abuse
}

policy "known-bad" {
  criteria = "other_ip in '@abuse'"
  verdict  = "drop"
}

policy "no-smtp-from-customers" {
  criteria = "src_ip in '100.64.0.0/16' && ip_protocol == 'tcp' && dst_port == 25"
  verdict  = "reject"
}

policy "no-telnet-into-customers" {
  criteria = "dst_ip in '100.64.0.0/16' && ip_protocol == 'tcp' && dst_port in [23, 2323]"
  verdict  = "drop"
}

policy "tariff" {
  for_each = local.tariffs
  criteria = "local_ip in ${each.value.net} && category != 'voip-conferencing'"
  label    = "tariff-${each.key}"
  dscp     = each.value.dscp
}

policy "calls" {
  criteria = "category == 'voip-conferencing'"
  dscp     = "ef"
}

policy "heavy-flows-last" {
  criteria = "total_bytes > 500000000 && category in ['file-sharing', 'software-update']"
  label    = "heavy"
  mark     = "0x1/0x1"
}
