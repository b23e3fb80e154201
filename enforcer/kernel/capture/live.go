package capture

// LiveConfig says which packets a router's source reads.
type LiveConfig struct {
	Groups []uint16 // NFLOG
	Queue  QueueConfig
	// Realtime has the thread that reads run before the processes of the router,
	// for up to half of the time. Where the kernel refuses (see Realtime) it is
	// one among others.
	Realtime bool
}

// LiveStats count packets since the source was opened.
type LiveStats struct {
	Lost  uint64 // copies that the kernel made and nobody read
	Queue QueueStats
}

// And is the sum of both.
func (s LiveStats) And(o LiveStats) LiveStats {
	return LiveStats{Lost: s.Lost + o.Lost, Queue: s.Queue.and(o.Queue)}
}

// and is the sum of both.
func (s QueueStats) and(o QueueStats) QueueStats {
	return QueueStats{
		Held: s.Held + o.Held, Told: s.Told + o.Told, Late: s.Late + o.Late,
		Overruns: s.Overruns + o.Overruns, Stray: s.Stray + o.Stray, Refused: s.Refused + o.Refused,
	}
}
