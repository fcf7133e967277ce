using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Xunit;

/// <summary>
/// One test for each scenario of aghook. xUnit starts the game, aghook plays Aghanim once, and each test shows the
/// result of its scenario. AGHOOK is the program, if it is not on the PATH.
/// </summary>
public sealed class WebhooksTests(AghookRun run) : IClassFixture<AghookRun>
{
    // Discovering tests needs only names: this starts no game and sends nothing.
    public static IEnumerable<TheoryDataRow<string, string>> Scenarios()
    {
        using var list = Process.Start(AghookRun.Aghook(["list", "--json", .. AghookRun.Scenarios]))!;
        while (list.StandardOutput.ReadLine() is { } line)
        {
            using var scenario = JsonDocument.Parse(line);
            var name = scenario.RootElement.GetProperty("name").GetString()!;
            var file = scenario.RootElement.GetProperty("file").GetString()!;
            yield return new(file, name) { TestDisplayName = name, Label = "" };
        }
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Scenario(string file, string name)
    {
        var scenario = run.Cases.Find(found => (string?)found.Attribute("file") == file && (string?)found.Attribute("name") == name);
        if (scenario is null)
        {
            Assert.Fail($"not run:\n{run.Output}");
        }
        if ((scenario.Element("failure") ?? scenario.Element("error")) is { } problem)
        {
            Assert.Fail($"{(string?)problem.Attribute("message")}\n{problem.Value}");
        }
        if (scenario.Element("skipped") is { } skipped)
        {
            Assert.Skip((string)skipped.Attribute("message")!);
        }
        if (scenario.Element("system-out")?.Value is { } output && output.StartsWith("! warned", StringComparison.Ordinal))
        {
            TestContext.Current.AddWarning(output);
        }
    }

    // 1 is a failed scenario, which its own test shows. 2 and 3 mean that there is no verdict.
    [Fact]
    public void AghookFinished() => Assert.True(run.ExitCode is 0 or 1, run.Output);
}

/// <summary>Runs aghook once against a game on a free port, before the first test.</summary>
public sealed class AghookRun : IAsyncLifetime
{
    // [] is the whole bundled suite, and ["scenarios/"] a folder of your own, copied to the output folder.
    internal static readonly string[] Scenarios = ["--tag", "smoke"];
    private const string Secret = "s3cret";

    internal int ExitCode { get; private set; }
    internal string Output { get; private set; } = "";
    internal List<XElement> Cases { get; private set; } = [];

    internal static ProcessStartInfo Aghook(IEnumerable<string> arguments) =>
        new(Environment.GetEnvironmentVariable("AGHOOK") ?? "aghook", arguments)
        {
            WorkingDirectory = AppContext.BaseDirectory,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };

    public async ValueTask InitializeAsync()
    {
        await using var game = await Game.StartAsync(Secret);
        var folder = Directory.CreateTempSubdirectory("aghook-").FullName;
        var profile = Path.Combine(folder, "aghook.yaml");
        var report = Path.Combine(folder, "junit.xml");
        var template = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "aghook.yaml"));
        await File.WriteAllTextAsync(profile, template.Replace("http://127.0.0.1:8080", game.Address));
        var start = Aghook(["run", .. Scenarios, "--quiet", "--config", profile, "--report", $"junit={report}"]);
        start.Environment["AGHANIM_WEBHOOK_SECRET"] = Secret;
        start.RedirectStandardError = true;
        using var aghook = Process.Start(start)!;
        var printed = await Task.WhenAll(aghook.StandardOutput.ReadToEndAsync(), aghook.StandardError.ReadToEndAsync());
        await aghook.WaitForExitAsync();
        (ExitCode, Output) = (aghook.ExitCode, string.Concat(printed));
        // Without a report, the exit code and the output say why.
        if (File.Exists(report))
        {
            Cases = [.. XDocument.Load(report).Descendants("testcase")];
        }
        Directory.Delete(folder, recursive: true);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
