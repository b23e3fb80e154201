# Numbers may be calculated from others.
policy "numbers" {
  criteria = [
    "total_bytes > 10 * 1024 * 1024",
    "dst_port == 8000 + 2 * 40",
    "src_port in [100 - 1, 2000 / 2, 7 % 4, 60 * 10 .. 60 * 10 + 9]",
    "vlan_id == -(-7)",
    "2 * 40 < dst_port",
    "src_port + 1 == dst_port - 2 * 3",
  ]
  label = "x"
}
