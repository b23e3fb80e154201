netpol {
  timezone = "Europe/Berlin"
}

schedule "Evenings" {
  days  = "weekdays"
  hours = ["18:00-22:00", "23:00-01:00"]
}

schedule "holidays" {
  dates    = "2026-12-24..2027-01-06"
  except   = "2026-12-31"
  timezone = "UTC"
}

schedule "unused" {
  days = "mon"
}

policy "clock" {
  label = "clock"
  criteria = [
    "time_of_day >= '18:00' && time_of_day < '23:30:15'",
    "time_of_day in '08:00'..'17:00'",
    "time_of_day in '22:00'..'06:00'",
    "time_of_day in ['12:00', '13:00'..'24:00', '9:05:07']",
    "time_of_day == '18:00'",
    "time_of_day != '18:00:00'",
    "'08:00' <= time_of_day < '17:00'",
    "time_of_day > '00:00:59'",
  ]
}

policy "days" {
  label    = "days"
  criteria = ["weekday == 'mon'", "weekday in ['Saturday', 'sun', 'weekend']", "weekday != 'weekdays'"]
}

policy "schedules" {
  label    = "schedules"
  criteria = "schedule == 'Evenings' || schedule not in ['holidays']"
}

policy "argument" {
  criteria  = "app == 'zoom' || app == 'teams'"
  schedule  = ["holidays", "Evenings", "holidays"]
  interface = "lan0"
  exempt    = "local_ip == '192.168.1.1'"
  halt      = true
}

policy "audited" {
  criteria = "app == 'zoom'"
  halt     = true
  audit    = true
  verdict  = "drop"
}

policy "after" {
  criteria = "hostname == 'a.org'"
  verdict  = "drop"
  on_fail  = "closed"
}

policy "amounts" {
  label = "amounts"
  criteria = [
    "total_bytes > '10MB' && src_bytes <= '1.5GiB'",
    "total_bytes in ['1kB'..'2 kB', 5000, '7000', 100..'200']",
    "total_packets >= '10k' || local_packets < 100",
    "total_rate > '500kbit' || src_rate > '2Mbit/s' || dst_rate > '1.25MB/s' || total_rate > 1000",
    "(duration > '90s' && duration <= '2h') || duration in '5m'..'1.5d'",
  ]
}

policy "marks" {
  label = "marks"
  criteria = [
    "ct_mark == 0x10 || ct_mark == '0x20'",
    "ct_mark in ['0x70000000/0x70000000', 5..9]",
    "ct_mark == '0x100/0xfffffff0' || ct_mark == '0x01000000/0x1f000000'",
    "ct_mark == '0x10/0xff' || ct_mark != '0x1/0x80000001'",
    "ct_mark in ['0x10/0xff', '0x20/0xff', '0x20/0xf0', 7]",
  ]
}

policy "ids" {
  label    = "ids"
  criteria = "app_id == 'zoom' || proto_id == 'netify.tls' || app_category_id == 'voip'"
}
