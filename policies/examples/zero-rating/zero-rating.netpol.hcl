# Traffic that does not count against the customer's volume.
#
# A mark is for other software on the router: the accounting rules skip
# connections whose mark has bit 4 set. The mask leaves all other bits as they
# are, so that policy routing and QoS can use theirs.
#
#   nft add rule inet accounting forward ct mark and 0x10 == 0x10 return

locals {
  zero_rated = "0x10/0x10"
}

policy "zero-rate-netflix" {
  description = "Films are in the price"
  criteria    = "app == 'netflix'"
  mark        = local.zero_rated
}

policy "zero-rate-knowledge" {
  description = "Reference works and the library's own server, too"
  criteria    = "app in ['wikipedia', 'bbc'] or hostname == 'library.example.org'"
  mark        = local.zero_rated
}
