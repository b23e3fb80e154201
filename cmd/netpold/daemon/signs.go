package daemon

import "fmt"

// sign is a counter that grows only when something is not as it should be.
type sign struct {
	code     string
	counters []string // added up
	// detail words how many there were; wayOut is what an operator can do.
	detail string
	wayOut string
	// kernels says that the kernel counts, since before netpold began.
	kernels bool
}

// signs are what netpold tells from counters, in the order in which people are
// shown it. None is fatal: the traffic goes on.
func signs() []sign {
	return []sign{
		{
			code: "capture-lost", counters: []string{"capture_lost"},
			detail: "%d packets that the kernel copied were lost before netpold read them: their connections may stay without a name",
			wayOut: "give netpold more of a processor, or set inspect_packets in the netpol block lower",
		},
		{
			code: "input-lost", counters: []string{inputsLost},
			detail: "%d packets of inputs were lost before netpold read them: their connections may stay without a name, and bytes uncounted",
			wayOut: "netpol show has it by input and worker (input_*_lost): give netpold more of a processor or more --workers, or the input a filter or lower first_packets",
		},
		{
			code: "older-than-labels", counters: []string{"unlabelable"},
			detail: "%d verdicts could not set a label, because the connection is older than netpol's table (ENOSPC); its mark was set",
			wayOut: "have netpol-apply.service put the rules in place before the network comes up; conntrack -D makes such a connection begin anew",
		},
		{
			code: "conntrack-full", counters: []string{"conntrack_early_drop", "conntrack_drop"},
			detail:  "the kernel's table of connections was full: %d connections or packets were dropped",
			wayOut:  "raise net.netfilter.nf_conntrack_max (sysctl -w), or lower the timeouts net.netfilter.nf_conntrack_*_timeout*",
			kernels: true,
		},
		{
			code: "verdicts-lost", counters: []string{"ct_dropped", "ct_overruns", "ct_failed", "ct_denied"},
			detail: "%d verdicts did not reach conntrack",
			wayOut: "see netpol doctor; ct_last_failure in netpol show is the kernel's errno",
		},
		{
			code: "records-lost", counters: []string{"records_dropped"},
			detail: "%d records found no room in the queue of their sink, or could not be written",
			wayOut: "netpol show has it by sink: a faster place, a larger queue, or a when that asks for less",
		},
		{
			code: "flow-table-full", counters: []string{"flows_evicted"},
			detail: "%d connections were pushed out of netpold's full table by others",
			wayOut: "raise --max-flows of netpold, and its memory limit with it",
		},
		{
			code: "inspection-cut", counters: []string{"cut", "no_buffer"},
			detail: "%d times netpold had no room to inspect a connection to its end, and decided it on what it had seen",
			wayOut: "nothing if it was a flood; otherwise raise --max-flows of netpold",
		},
		{
			code: "connections-shed", counters: []string{"shed"},
			detail: "%d connections were given up without a name, for lack of room or because packets were lost: on_overload says what becomes of them",
			wayOut: "raise --max-flows of netpold, and its memory limit with it, or inspect fewer connections",
		},
		{
			code: "dissector-fault", counters: []string{"panics"},
			detail: "%d connections have no name because a dissector failed on them",
			wayOut: "please report it with a capture of such a connection",
		},
		{
			code: "elements-shed", counters: []string{"elements_shed"},
			detail: "%d connections stayed out of their sets because too many came at once",
			wayOut: "let fewer policies add to sets",
		},
		{
			code: "heartbeat", counters: []string{"beat_errors"},
			detail: "%d heartbeats did not reach the kernel: policies with on_fail = \"closed\" take netpold for dead",
			wayOut: "netpol restore, if somebody removed the set np_alive; otherwise see netpold's log",
		},
		{
			code: "readings", counters: []string{"reading_errors"},
			detail: "%d lists of connections could not be read to their end: rates, bytes and durations are behind",
			wayOut: "see netpold's log; more memory for the kernel's sockets (net.core.rmem_max) if it says ENOBUFS",
		},
	}
}

// total adds the sign's counters up.
func (s *sign) total(counters map[string]uint64) (n uint64) {
	for _, name := range s.counters {
		n += counters[name]
	}
	return n
}

func (s *sign) says(n uint64) string { return fmt.Sprintf(s.detail, n) }
