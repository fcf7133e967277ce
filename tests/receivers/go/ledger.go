package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
)

var errNoRoom = errors.New("no room for the item")

// ledger stores granted idempotency keys and players' inventories. It lives in memory and in a file
// to which each grant appends one line, so that a restart can restore it.
type ledger struct {
	mutex   sync.Mutex
	file    *os.File
	size    int64
	granted map[string]bool
	held    map[holding]int64
	// full is what there is no room for, only in memory, because only tests set it.
	full map[holding]bool
}

type holding struct{ playerID, sku string }

// entry is a line of the file: the key and the grant, together or not at all.
type entry struct {
	IdempotencyKey string  `json:"idempotency_key"`
	PlayerID       string  `json:"player_id"`
	Grants         []grant `json:"grants"`
}

func openLedger(path string) (*ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	opened := &ledger{
		file:    file,
		granted: map[string]bool{},
		held:    map[holding]int64{},
		full:    map[holding]bool{},
	}
	if err := opened.replay(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return opened, nil
}

// replay reads the file. It drops an incomplete last line, since no success response was sent for
// it.
func (l *ledger) replay() error {
	content, err := io.ReadAll(l.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(content, '\n') + 1
	decoder := json.NewDecoder(bytes.NewReader(content[:whole]))
	for {
		var read entry
		if err := decoder.Decode(&read); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		l.apply(&read)
	}
	l.size = int64(whole)
	return l.file.Truncate(l.size)
}

// grantOnce grants unless the key was granted before.
func (l *ledger) grantOnce(key, playerID string, grants []grant) error {
	// One lock around the check and the grant: simultaneous deliveries can't both find the key unused.
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.granted[key] {
		return nil
	}
	added := &entry{key, playerID, grants}
	if err := l.check(added); err != nil {
		return err
	}
	if err := l.append(added); err != nil {
		return err
	}
	l.apply(added)
	return nil
}

func (l *ledger) quantity(playerID, sku string) int64 {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.held[holding{playerID, sku}]
}

func (l *ledger) setFull(playerID, sku string, full bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.full[holding{playerID, sku}] = full
}

func (l *ledger) hasRoom(playerID, sku string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return !l.full[holding{playerID, sku}]
}

// Close closes the file.
func (l *ledger) Close() error {
	return l.file.Close()
}

// check returns an error if there is no room for an item or a quantity would overflow.
func (l *ledger) check(added *entry) error {
	sums := map[string]int64{}
	for _, grant := range added.Grants {
		if l.full[holding{added.PlayerID, grant.SKU}] {
			return fmt.Errorf("%w %s", errNoRoom, grant.SKU)
		}
		sum := sums[grant.SKU]
		if grant.Quantity > math.MaxInt64-sum-l.held[holding{added.PlayerID, grant.SKU}] {
			return fmt.Errorf("%s holds too much of %s", added.PlayerID, grant.SKU)
		}
		sums[grant.SKU] = sum + grant.Quantity
	}
	return nil
}

// append writes a line to the disk and undoes a partial write.
func (l *ledger) append(added *entry) error {
	line, err := json.Marshal(added)
	if err != nil {
		return err
	}
	_, err = l.file.WriteAt(append(line, '\n'), l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		if undo := l.file.Truncate(l.size); undo != nil {
			return fmt.Errorf("%w, and then %v", err, undo)
		}
		return err
	}
	l.size += int64(len(line)) + 1
	return nil
}

func (l *ledger) apply(read *entry) {
	l.granted[read.IdempotencyKey] = true
	for _, grant := range read.Grants {
		l.held[holding{read.PlayerID, grant.SKU}] += grant.Quantity
	}
}
