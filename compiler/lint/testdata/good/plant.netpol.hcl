# An industrial plant: cells, a maintenance window, nothing else.

netpol {
  timezone = "UTC"
}

locals {
  cells = {
    press   = "10.50.1.0/24"
    robots  = "10.50.2.0/24"
    packing = "10.50.3.0/24"
  }
}

address_group "historian" {
  members = ["10.50.100.10"]
}

address_group "engineering" {
  members = ["10.50.101.0/28"]
}

schedule "maintenance" {
  days  = ["sat"]
  hours = ["06:00-12:00"]
}

policy "controllers" {
  for_each    = local.cells
  description = "The historian reads the ${each.key} cell"
  criteria    = "src_ip in '@historian' && dst_ip in ${each.value} && protocol in ['modbus', 's7comm', 'opc-ua']"
  verdict     = "accept"
}

policy "engineers" {
  criteria = "src_ip in '@engineering' && dst_ip in '10.50.0.0/18' && protocol in ['s7comm', 's7comm-plus', 'profinet-io']"
  schedule = "maintenance"
  verdict  = "accept"
}

policy "engineers-log-in" {
  criteria = "src_ip in '@engineering' && ip_protocol == 'tcp' && dst_port in [22, 443]"
  verdict  = "accept"
}

policy "nothing-else-reaches-cells" {
  criteria = "dst_ip in '10.50.0.0/18'"
  verdict  = "drop"
}

policy "cells-do-not-call-out" {
  criteria = "src_ip in '10.50.0.0/18' && dst_ip not in '10.50.0.0/16'"
  verdict  = "drop"
}
