locals {
  nets   = ["10.0.0.0/8", "@home", "2001:db8::/32"]
  quoted = "it's ' or true or \\' \" ` */ //"
}

address_group "home" {
  members = ["192.168.0.0/16"]
}

policy "calls" {
  for_each = { zoom = 1, teams = 2 }
  criteria = "app == ${each.key} and src_port in ${each.value}..${each.value + 10}"
  label    = each.key
}

policy "lists" {
  criteria = "app in ${["zoom", "teams"]} and not (local_ip in ${local.nets})"
  label    = "lists"
}

policy "injection" {
  criteria = "http_user_agent == ${local.quoted} or http_user_agent in [${local.quoted}, ${"a"}]"
  label    = "injection"
}

policy "domains" {
  for_each = ["zoom.us"]
  criteria = "domain(hostname, ${each.value}) or hostname matches ${"^cdn[0-9]+\\.${each.value}$"}"
  label    = "domains"
}

policy "versions" {
  criteria = "tls_version < ${1.2}"
  label    = "old"
}
