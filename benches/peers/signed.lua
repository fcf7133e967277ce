-- Makes wrk send unique, signed events. Lua has no SHA-256, so this implements it: in plain Lua with
-- 32-bit operations, which wrk's LuaJIT compiles to machine code. If PEERS_LUA_FFI is set, it stores
-- numbers in C arrays instead of tables, which only LuaJIT can do. The hashes of the two HMAC keys are
-- computed only once.
local bit = require("bit")
local band, bor, bxor, ror = bit.band, bit.bor, bit.bxor, bit.ror
local rshift, lshift, tobit, bswap, tohex = bit.rshift, bit.lshift, bit.tobit, bit.bswap, bit.tohex
local byte, char = string.byte, string.char
local ffi = os.getenv("PEERS_LUA_FFI") and require("ffi")

-- An array of numbers with indices from 0.
local function array(numbers)
    local counted = ffi and ffi.new("int32_t[?]", #numbers) or {}
    for i, number in ipairs(numbers) do counted[i - 1] = tobit(number) end
    return counted
end

local function zeros(count)
    local numbers = {}
    for i = 1, count do numbers[i] = 0 end
    return array(numbers)
end

local K = array({
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
})
local START = array({
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
})

local w = zeros(64)

-- Loads the block that starts at position `place` of a text, counted from 1.
local function take(text, place)
    for i = 0, 15 do
        local a, b, c, d = byte(text, place + 4 * i, place + 4 * i + 3)
        w[i] = bor(lshift(a, 24), lshift(b, 16), lshift(c, 8), d)
    end
end
if ffi then
    function take(text, place)
        local words = ffi.cast("const int32_t *", ffi.cast("const char *", text) + place - 1)
        for i = 0, 15 do w[i] = bswap(words[i]) end
    end
end

local function compress(state)
    for i = 16, 63 do
        local x, y = w[i - 15], w[i - 2]
        local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
        local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
        w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
    end
    local a, b, c, d = state[0], state[1], state[2], state[3]
    local e, f, g, h = state[4], state[5], state[6], state[7]
    for i = 0, 63 do
        local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
        local t1 = tobit(h + s1 + bxor(g, band(e, bxor(f, g))) + K[i] + w[i])
        local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
        local t2 = tobit(s0 + bxor(band(a, b), band(c, bxor(a, b))))
        h, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
    end
    state[0], state[1] = tobit(state[0] + a), tobit(state[1] + b)
    state[2], state[3] = tobit(state[2] + c), tobit(state[3] + d)
    state[4], state[5] = tobit(state[4] + e), tobit(state[5] + f)
    state[6], state[7] = tobit(state[6] + g), tobit(state[7] + h)
end

-- The eight numbers as bytes.
local function bytes(state)
    local words = {}
    for i = 0, 7 do
        local x = state[i]
        words[i + 1] = char(rshift(x, 24), band(rshift(x, 16), 255), band(rshift(x, 8), 255), band(x, 255))
    end
    return table.concat(words)
end

local function copy(from, to)
    for i = 0, 7 do to[i] = from[i] end
end

-- Hashes the rest of a message into a state that has already processed one block.
local function finish(state, text)
    local bits = (64 + #text) * 8
    local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64 + 4)
        .. char(rshift(bits, 24), band(rshift(bits, 16), 255), band(rshift(bits, 8), 255), band(bits, 255))
    for place = 1, #padded, 64 do
        take(padded, place)
        compress(state)
    end
end

local function keyed(secret, pad)
    local block = {}
    for i = 1, 64 do block[i] = char(bxor(secret:byte(i) or 0, pad)) end
    local state = zeros(8)
    copy(START, state)
    take(table.concat(block), 1)
    compress(state)
    return state
end

local secret = os.getenv("AGHOOK_SECRET")
assert(#secret <= 64, "a longer key would have to be hashed first")
local inner_key, outer_key = keyed(secret, 0x36), keyed(secret, 0x5c)
local inner, outer = zeros(8), zeros(8)

local function hmac(text)
    copy(inner_key, inner)
    finish(inner, text)
    copy(outer_key, outer)
    finish(outer, bytes(inner))
    return tohex(outer[0]) .. tohex(outer[1]) .. tohex(outer[2]) .. tohex(outer[3])
        .. tohex(outer[4]) .. tohex(outer[5]) .. tohex(outer[6]) .. tohex(outer[7])
end

local file = assert(io.open(os.getenv("PEERS_BODY"), "rb"))
local before, id, after = file:read("*a"):match('^(.*"event_id":"whevt_)([^"]+)(.*)$')
file:close()

local number = 0
local head = "POST " .. os.getenv("PEERS_PATH") .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    .. "Content-Type: application/json\r\nX-Aghanim-Signature: "

-- Builds the whole request directly, because wrk.format is slower.
function request()
    number = number + 1
    local body = before .. string.format("%0" .. #id .. "d", number) .. after
    local timestamp = tostring(os.time())
    return head .. hmac(timestamp .. "." .. body)
        .. "\r\nX-Aghanim-Signature-Timestamp: " .. timestamp
        .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
