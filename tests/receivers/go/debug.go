package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

const debugPath = "/debug/players/"

// debug is for tests, on loopback alone: it tells what a player holds, and takes the statuses that
// the next deliveries to a player are answered with.
type debug struct {
	ledger   *ledger
	scripted *scriptedAnswers
}

func (d *debug) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Escaped, so that a slash in an ID is told from one between parts.
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), debugPath), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid path")
			return
		}
		parts[i] = plain
	}
	switch {
	case r.Method == http.MethodGet && len(parts) == 3 && parts[1] == "items":
		answer(w, http.StatusOK, map[string]int64{"quantity": d.ledger.quantity(parts[0], parts[2])})
	case r.Method == http.MethodPut && len(parts) == 2 && parts[1] == "respond":
		d.respond(w, r, parts[0])
	default:
		refuse(w, http.StatusNotFound, "no such path")
	}
}

func (d *debug) respond(w http.ResponseWriter, r *http.Request, playerID string) {
	var answers []int
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestBody)).Decode(&answers); err != nil {
		refuse(w, http.StatusBadRequest, "a list of statuses was expected")
		return
	}
	for _, status := range answers {
		if status < 200 || status > 599 {
			refuse(w, http.StatusBadRequest, "a status is from 200 to 599")
			return
		}
	}
	d.scripted.set(playerID, answers)
	w.WriteHeader(http.StatusNoContent)
}

// scriptedAnswers are statuses that the next deliveries to a player are answered with.
type scriptedAnswers struct {
	mutex    sync.Mutex
	ofPlayer map[string][]int
}

func newScriptedAnswers() *scriptedAnswers {
	return &scriptedAnswers{ofPlayer: map[string][]int{}}
}

func (s *scriptedAnswers) set(playerID string, answers []int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ofPlayer[playerID] = answers
}

func (s *scriptedAnswers) next(playerID string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	answers := s.ofPlayer[playerID]
	if len(answers) == 0 {
		return http.StatusOK
	}
	s.ofPlayer[playerID] = answers[1:]
	return answers[0]
}
