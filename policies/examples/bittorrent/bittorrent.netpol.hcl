# BitTorrent takes what nobody else wants.
#
# Peers, DHT, trackers and uTP share one protocol, recognised by its bytes and
# not by its ports. LE (RFC 8622) is the code point for traffic that yields to
# all other; cake and Wi-Fi queues know it, older gear that does not treats it
# as best effort, which harms nobody. Encrypted handshakes are not recognised.

policy "bittorrent-last" {
  description = "File sharing yields to everything"
  criteria    = "protocol == 'bittorrent'"
  label       = "bulk"
  dscp        = "le"
}

# The same for other sharing networks, for equipment that only knows CS1.
policy "file-sharing-last" {
  description = "Other sharing networks, marked for older equipment"
  criteria    = "category == 'file-sharing'"
  exempt      = "protocol == 'bittorrent'"
  label       = "sharing"
  dscp        = "cs1"
}
