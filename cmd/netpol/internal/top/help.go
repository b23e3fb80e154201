package top

// helpText is what ? shows.
const helpText = `KEYS
  up down k j      choose a row, which the cursor then stays on; home goes to the top and stays
  pgup pgdown      a screen up or down
  enter            into a row: applications by host, hosts by application, then connections, and
                   of a connection why it was recognised and which policies match
  esc              back
  1 2 ... 0, tab   views: applications, hosts, connections, policies, address groups (with
                   --policy), stations (hardware addresses), ...; inside a row, of it
  s S  < >         sort by the next or the last column
  r u d b f t x    sort by rate, up, down, bytes, flows, round-trip time, retransmissions
  a c n            sort by age, packets, name
  o                other columns, which a narrow terminal has no room for
  /                filter: criteria as in policies, or one word that is looked for in names and
                   addresses; what is typed so far is shown at once, enter takes it
  p                hold the screen still, and go on
  ^Z               suspend
  q                quit

COLUMNS
  RATE UP DOWN     bits a second between the last two readings of the kernel's counters; UP is
                   what the local side sends
  BYTES            of connections that are there now; SENT and RECEIVED by the local side
  FLOWS AGE        how many connections, how old one is
  RTT              from one end to the other and back, of a row's connections in the mean
  RETR             segments of TCP that were sent again
  RTT and RETR are of packets that netpold has seen, mostly those that begin a connection
  *                what rows are sorted by

FILTERS
  zoom                                     a word in a name or an address
  app == 'zoom'                            an application
  category == 'streaming-media' && local_ip in '10.0.0.0/24'
  total_rate > '1Mbit/s'
  hostname contains 'example'`
