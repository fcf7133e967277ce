package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

const debugPath = "/debug/"

// debug is for tests, only on loopback: it returns a player's inventory, fills it, sets the statuses
// of the next responses for a player, and shifts the clock.
type debug struct {
	ledger   *ledger
	scripted *scriptedStatuses
	clock    *clock
}

func (d *debug) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Split the escaped path, so that a slash in an ID does not separate parts.
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), debugPath), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid path")
			return
		}
		parts[i] = plain
	}
	isPlayer := parts[0] == "players"
	isFull := isPlayer && len(parts) == 5 && parts[2] == "items" && parts[4] == "full"
	switch {
	case r.Method == http.MethodGet && isPlayer && len(parts) == 4 && parts[2] == "items":
		respond(w, http.StatusOK, map[string]int64{"quantity": d.ledger.quantity(parts[1], parts[3])})
	case r.Method == http.MethodPut && isPlayer && len(parts) == 3 && parts[2] == "respond":
		d.respond(w, r, parts[1])
	case isFull && (r.Method == http.MethodPut || r.Method == http.MethodDelete):
		d.ledger.setFull(parts[1], parts[3], r.Method == http.MethodPut)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && len(parts) == 2 && parts[0] == "clock":
		d.shiftClock(w, parts[1])
	default:
		refuse(w, http.StatusNotFound, "no such path")
	}
}

func (d *debug) shiftClock(w http.ResponseWriter, text string) {
	seconds, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		refuse(w, http.StatusBadRequest, "expected seconds")
		return
	}
	d.clock.shift(seconds)
	w.WriteHeader(http.StatusNoContent)
}

func (d *debug) respond(w http.ResponseWriter, r *http.Request, playerID string) {
	var statuses []int
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestBody)).Decode(&statuses); err != nil {
		refuse(w, http.StatusBadRequest, "expected a list of statuses")
		return
	}
	for _, status := range statuses {
		if status < 200 || status > 599 {
			refuse(w, http.StatusBadRequest, "expected statuses from 200 to 599")
			return
		}
	}
	d.scripted.set(playerID, statuses)
	w.WriteHeader(http.StatusNoContent)
}

// scriptedStatuses holds the statuses of the next responses for each player.
type scriptedStatuses struct {
	mutex    sync.Mutex
	byPlayer map[string][]int
}

func newScriptedStatuses() *scriptedStatuses {
	return &scriptedStatuses{byPlayer: map[string][]int{}}
}

func (s *scriptedStatuses) set(playerID string, statuses []int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.byPlayer[playerID] = statuses
}

func (s *scriptedStatuses) next(playerID string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	statuses := s.byPlayer[playerID]
	if len(statuses) == 0 {
		return http.StatusOK
	}
	s.byPlayer[playerID] = statuses[1:]
	return statuses[0]
}
