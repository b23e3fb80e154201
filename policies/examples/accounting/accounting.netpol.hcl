# Who uses what, how much, and how well it goes: bytes and health by application and
# subscriber, what is in the price, and a record of each connection for the operator's
# message queue.
#
# The accounts are added up in netpold and agree with the kernel's counters to the
# byte. The stream to the broker names no subscriber: addresses are pseudonyms.
# mqtt is in a netpold built with it: make build TAGS=sink_mqtt.

variable "broker" {
  description = "The message queue"
  type        = "string"
  default     = "mqtt://127.0.0.1:1883"
}

address_group "gold" {
  description = "Subscribers who pay for more"
  members     = ["192.168.10.0/24", "2001:db8:10::/48"]
}

address_group "silver" {
  members = ["192.168.0.0/16", "2001:db8::/32"]
}

policy "in-the-price" {
  description = "Films do not count against the volume"
  criteria    = "app == 'netflix'"
  label       = "in-the-price"
}

sink "accounts" {
  description = "For billing, a file a day"
  type        = "file"
  path        = "/var/log/netpol/accounts.jsonl"
  rotate_age  = "24h"
  keep        = 35
}

sink "queue" {
  description = "What the network does, for whoever subscribes to netpol/#"
  type        = "mqtt"
  url         = var.broker
  topic       = "netpol/{router}/{type}"
  qos         = 1
  records     = ["flow", "flow_end", "agent_status"]
  addresses   = "hash"
  names       = "domain"
}

sink "trouble" {
  description = "The connections that fare badly, one by one"
  type        = "file"
  path        = "/var/log/netpol/trouble.jsonl"
  records     = "flow_end"
  when        = "tcp_retransmissions > 3 || rtt_client > '300ms' || dns_response > '1s' || rtp_loss > 2"
}

aggregate "billing" {
  description    = "Bytes in and out of the price, by subscriber"
  by             = ["local_ip", "address_group", "policy"]
  address_groups = ["@gold", "@silver"]
  policies       = ["in-the-price"]
  interval       = "5m"
  sink           = "accounts"
}

aggregate "care" {
  description = "For the help desk: what is sent again or lost, round trips and times of answers, by application and subscriber"
  by          = ["application", "local_ip"]
  health      = true
  interval    = "5m"
  sink        = "accounts"
}

aggregate "applications" {
  description = "The hundred that carry most, on the queue"
  by          = ["application", "category"]
  top         = 100
  sink        = "queue"
}
