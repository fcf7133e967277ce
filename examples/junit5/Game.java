import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.*;
import java.io.IOException;
import java.net.*;
import java.security.*;
import java.util.*;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Stands for your game: a sound receiver of coupon.redeemed, with inventories in memory.
 *
 * <p>GAME_BUG shows how tests fail: {@code grants_again} ignores the idempotency key, {@code wrong_secret} is a
 * mistake in the set-up.
 */
final class Game {
    private static final String BUG = System.getenv("GAME_BUG");
    private static final long TOLERANCE_SECONDS = 300;
    private static final ObjectMapper JSON = new ObjectMapper();
    private record Holding(String player, String sku) {}

    private final byte[] secret;
    private final HttpServer server;
    private final Set<String> granted = new HashSet<>();
    private final Map<Holding, Long> inventory = new HashMap<>();

    Game(String secret) throws IOException {
        this.secret = ("wrong_secret".equals(BUG) ? "another" : secret).getBytes(UTF_8);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/webhooks/aghanim", this::webhook);
        server.createContext("/debug/quantity", this::quantity);
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    void stop() {
        server.stop(0);
    }

    private void webhook(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        if (!isGenuine(exchange.getRequestHeaders(), body)) {
            respond(exchange, 403, Map.of("error", "invalid signature"));
            return;
        }
        try {
            JsonNode event = JSON.readTree(body);
            boolean isCoupon = event.required("event_type").textValue().equals("coupon.redeemed");
            boolean isTest = "test".equals(event.required("trigger").textValue());
            if (isCoupon && !isTest && !event.required("sandbox").booleanValue()) {
                grantOnce(event.required("idempotency_key").textValue(), event.required("event_data"));
            }
            respond(exchange, 200, Map.of("status", "ok"));
        } catch (IllegalArgumentException | JsonProcessingException invalid) {
            respond(exchange, 400, Map.of("error", "not an event"));
        }
    }

    private boolean isGenuine(Headers headers, byte[] body) {
        List<String> signatures = headers.getOrDefault("X-Aghanim-Signature", List.of());
        List<String> timestamps = headers.getOrDefault("X-Aghanim-Signature-Timestamp", List.of());
        if (signatures.size() != 1 || timestamps.size() != 1 || !timestamps.get(0).matches("[0-9]{1,12}")) {
            return false;
        }
        long age = System.currentTimeMillis() / 1000 - Long.parseLong(timestamps.get(0));
        byte[] signature = signatures.get(0).getBytes(UTF_8);
        byte[] expected = hmac(timestamps.get(0), body).getBytes(UTF_8);
        return Math.abs(age) <= TOLERANCE_SECONDS && MessageDigest.isEqual(expected, signature);
    }

    private String hmac(String timestamp, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            mac.update((timestamp + ".").getBytes(UTF_8));
            return HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private synchronized void grantOnce(String key, JsonNode data) {
        if (granted.add(key) || "grants_again".equals(BUG)) {
            JsonNode items = data.path("items");
            Iterable<JsonNode> all = items.isEmpty() ? List.of(data.required("item")) : items;
            all.forEach(item -> add(data.required("player_id").textValue(), item, 1));
        }
    }

    /** Opens bundles. */
    private void add(String player, JsonNode item, long times) {
        long quantity = Math.multiplyExact(item.required("quantity").longValue(), times);
        JsonNode nested = item.path("nested_items");
        if ("bundle".equals(item.required("type").textValue()) && !nested.isEmpty()) {
            nested.forEach(part -> add(player, part, quantity));
        } else {
            inventory.merge(new Holding(player, item.required("sku").textValue()), quantity, Math::addExact);
        }
    }

    private synchronized void quantity(HttpExchange exchange) throws IOException {
        String[] query = exchange.getRequestURI().getRawQuery().split("[=&]"); // player=…&sku=…
        var holding = new Holding(URLDecoder.decode(query[1], UTF_8), URLDecoder.decode(query[3], UTF_8));
        long held = inventory.getOrDefault(holding, 0L);
        respond(exchange, 200, Map.of("quantity", held));
    }

    private static void respond(HttpExchange exchange, int status, Map<String, ?> body) throws IOException {
        byte[] json = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, json.length);
        exchange.getResponseBody().write(json);
        exchange.close();
    }
}
