schedule "evenings" {
  days = "weekdays"
}

schedule "EVENINGS" { # ERROR NP0011: Duplicate definition
  days = "weekdays"
}

policy "clock" {
  label = "x"
  criteria = [
    "time_of_day > 18", # ERROR NP0133: Invalid time of day
    "time_of_day == '18'", # ERROR NP0133: Invalid time of day
    "time_of_day == '18:0'", # ERROR NP0133: Invalid time of day
    "time_of_day == '25:00'", # ERROR NP0133: Invalid time of day
    "time_of_day == '18:60'", # ERROR NP0133: Invalid time of day
    "time_of_day == '24:00'", # ERROR NP0133: Invalid time of day
    "time_of_day == '18:00-22:00'", # ERROR NP0133: Invalid time of day
    "time_of_day in '18:00'..22", # ERROR NP0133: Invalid time of day
    "time_of_day == '18:00'..'22:00'", # ERROR NP0105: Wrong operator
    "time_of_day contains '18:00'", # ERROR NP0105: Wrong operator
    "time_of_day == ''", # ERROR NP0133: Invalid time of day
    "time_of_day", # ERROR NP0108: Not a condition
    "dst_port in '1'..'2'", # ERROR NP0106: Wrong constant
  ]
}

policy "days" {
  label = "x"
  criteria = [
    "weekday == 'mo'", # ERROR NP0130: Unknown word
    "weekday == ''", # ERROR NP0130: Unknown word
    "weekday == 1", # ERROR NP0106: Wrong constant
    "weekday in 'weekend'", # ERROR NP0105: Wrong operator
    "schedule == 'evening'", # ERROR NP0132: Undefined schedule
    "schedule == '@evenings'", # ERROR NP0132: Undefined schedule
    "schedule == ''", # ERROR NP0132: Undefined schedule
    "schedule == 5", # ERROR NP0106: Wrong constant
    "schedule startsWith 'even'", # ERROR NP0105: Wrong operator
    "schedule", # ERROR NP0108: Not a condition
  ]
}

policy "argument" {
  criteria = "true"
  label    = "x"
  schedule = "evenngs" # ERROR NP0132: Undefined schedule
}

policy "amounts" {
  label = "x"
  criteria = [
    "total_bytes > '10mb'", # ERROR NP0134: Invalid quantity
    "total_bytes > '10Mbit'", # ERROR NP0134: Invalid quantity
    "total_bytes > '10MB/s'", # ERROR NP0134: Invalid quantity
    "total_bytes > 'many'", # ERROR NP0134: Invalid quantity
    "total_bytes > '1.0001kB'", # ERROR NP0134: Invalid quantity
    "total_bytes > '-1'", # ERROR NP0134: Invalid quantity
    "total_bytes > -1", # ERROR NP0023: Number out of range
    "total_bytes > '999999999TB'", # ERROR NP0023: Number out of range
    "total_bytes > 1.5", # ERROR NP0106: Wrong constant
    "total_bytes in '2MB'..'1MB'", # ERROR NP0122: Empty range
    "total_rate > '2Mbps'", # ERROR NP0134: Invalid quantity
    "total_rate > '2Mb/s'", # ERROR NP0134: Invalid quantity
    "total_rate > '1bit'", # ERROR NP0134: Invalid quantity
    "total_packets > '10MB'", # ERROR NP0134: Invalid quantity
    "duration > '5 minutes'", # ERROR NP0134: Invalid quantity
    "duration > 5m", # ERROR NP0100: Invalid criteria
    "total_bytes > 10MB", # ERROR NP0100: Invalid criteria
  ]
}

policy "marks" {
  label = "x"
  criteria = [
    "ct_mark == '0x10/0x0f'", # ERROR NP0016: Invalid mark
    "ct_mark == '0x80000000/0x80000000'", # ERROR NP0016: Invalid mark
    "ct_mark in ['0x80000010/0x800000ff']", # ERROR NP0016: Invalid mark
    "ct_mark == '0x0/0x0'", # ERROR NP0016: Invalid mark
    "ct_mark == 'red'", # ERROR NP0016: Invalid mark
    "ct_mark > '0x70000000/0x70000000'", # ERROR NP0105: Wrong operator
    "ct_mark == 4294967296", # ERROR NP0023: Number out of range
    "app_id == 119", # ERROR NP0106: Wrong constant
    "proto_id in [5, 6]", # ERROR NP0106: Wrong constant
  ]
}

policy "arithmetic" {
  label = "x"
  criteria = [
    "total_bytes / 2 > 100", # ERROR NP0135: Attribute without arithmetic
    "src_bytes > dst_bytes", # ERROR NP0135: Attribute without arithmetic
    "len(weekday) > 2", # ERROR NP0135: Attribute without arithmetic
    "ct_mark == vlan_id", # ERROR NP0135: Attribute without arithmetic
    "src_rate / 2 > dst_rate",
    "duration > 10 and total_rate == src_rate",
  ]
}
