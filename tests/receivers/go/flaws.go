package main

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
)

// flaws are mistakes that are typical of Go handlers. Each replaces a step of the sound receiver.
// Do not copy this code.
var flaws = map[string]func(*webhook){
	"prefix-compared":        func(hook *webhook) { hook.same = strings.HasPrefix },
	"narrow-quantities":      func(hook *webhook) { hook.grants = narrowGrants },
	"unknown-fields-refused": func(hook *webhook) { hook.decode = strictDecode },
}

// narrowGrants stores quantities as int32, like an `integer` column.
func narrowGrants(e *event) ([]grant, error) {
	grants, err := e.grants()
	for i := range grants {
		grants[i].Quantity = int64(int32(grants[i].Quantity))
	}
	return grants, err
}

// strictDecode refuses keys that are not documented.
func strictDecode(body []byte) (*event, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var strict event
	if err := decoder.Decode(&strict); err != nil {
		return nil, err
	}
	return decode(body)
}

func flawNames() string {
	names := make([]string, 0, len(flaws))
	for name := range flaws {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
