package main

import (
	"sync/atomic"
	"time"
)

// clock is the receiver's clock, which a test can set ahead.
type clock struct{ secondsAhead int64 }

func (c *clock) now() time.Time {
	ahead := atomic.LoadInt64(&c.secondsAhead)
	return time.Now().Add(time.Duration(ahead) * time.Second)
}

func (c *clock) shift(seconds int64) {
	atomic.StoreInt64(&c.secondsAhead, seconds)
}
