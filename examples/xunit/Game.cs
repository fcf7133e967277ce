using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

/// <summary>Stands for your game: a sound receiver of coupon.redeemed, with inventories in memory.</summary>
/// <remarks>
/// GAME_BUG shows how tests fail: <c>grants_again</c> ignores the idempotency key, <c>wrong_secret</c> is a mistake in
/// the set-up.
/// </remarks>
internal sealed class Game : IAsyncDisposable
{
    private const long ToleranceSeconds = 300;
    private static readonly string? Bug = Environment.GetEnvironmentVariable("GAME_BUG");

    private readonly byte[] secret;
    private readonly WebApplication app;
    private readonly object ledger = new(); // guards what follows
    private readonly HashSet<string> granted = [];
    private readonly Dictionary<(string Player, string Sku), long> inventory = [];

    private Game(string secret)
    {
        this.secret = Encoding.UTF8.GetBytes(Bug == "wrong_secret" ? "another" : secret);
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.MapPost("/webhooks/aghanim", Webhook);
        app.MapGet("/debug/quantity", (string player, string sku) => new { quantity = Quantity(player, sku) });
    }

    /// <summary>Its address, such as http://127.0.0.1:40123.</summary>
    public string Address => app.Urls.Single();

    public static async Task<Game> StartAsync(string secret)
    {
        var game = new Game(secret);
        await game.app.StartAsync();
        return game;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task<IResult> Webhook(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        if (!IsGenuine(request.Headers, body))
        {
            return Results.Json(new { error = "invalid signature" }, statusCode: 403);
        }
        try
        {
            using var json = JsonDocument.Parse(body);
            var webhook = json.RootElement;
            var isTest = webhook.GetProperty("trigger").GetString() == "test";
            var isCoupon = webhook.GetProperty("event_type").GetString() == "coupon.redeemed";
            if (isCoupon && !isTest && !webhook.GetProperty("sandbox").GetBoolean())
            {
                GrantOnce(webhook.GetProperty("idempotency_key").GetString()!, webhook.GetProperty("event_data"));
            }
            return Results.Json(new { status = "ok" });
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return Results.Json(new { error = "not an event" }, statusCode: 400);
        }
    }

    private bool IsGenuine(IHeaderDictionary headers, byte[] body)
    {
        var signatures = headers["X-Aghanim-Signature"];
        var timestamps = headers["X-Aghanim-Signature-Timestamp"];
        if (signatures.Count != 1 || timestamps.Count != 1
            || !long.TryParse(timestamps[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > ToleranceSeconds)
        {
            return false;
        }
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{timestamps[0]}."), .. body];
        var expected = Convert.ToHexString(HMACSHA256.HashData(secret, signed)).ToLowerInvariant();
        return CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(signatures[0]!));
    }

    private void GrantOnce(string key, JsonElement data)
    {
        var several = data.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array;
        JsonElement[] all = several && items.GetArrayLength() > 0 ? [.. items.EnumerateArray()] : [data.GetProperty("item")];
        var player = data.GetProperty("player_id").GetString()!;
        var parts = all.SelectMany(item => Contents(item, 1)).ToList();
        lock (ledger)
        {
            if (!granted.Add(key) && Bug != "grants_again") return;
            foreach (var (sku, quantity) in parts)
            {
                inventory[(player, sku)] = inventory.GetValueOrDefault((player, sku)) + quantity;
            }
        }
    }

    /// <summary>The SKUs and quantities of an item; of a bundle, those of its parts.</summary>
    private static IEnumerable<(string Sku, long Quantity)> Contents(JsonElement item, long times)
    {
        var quantity = checked(item.GetProperty("quantity").GetInt64() * times);
        var isBundle = item.GetProperty("type").GetString() == "bundle";
        if (isBundle && item.GetProperty("nested_items") is { ValueKind: JsonValueKind.Array } nested && nested.GetArrayLength() > 0)
        {
            return nested.EnumerateArray().SelectMany(part => Contents(part, quantity));
        }
        return [(item.GetProperty("sku").GetString()!, quantity)];
    }

    private long Quantity(string player, string sku)
    {
        lock (ledger)
        {
            return inventory.GetValueOrDefault((player, sku));
        }
    }
}
