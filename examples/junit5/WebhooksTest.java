import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;

/**
 * One test for each scenario of aghook. JUnit starts the game, aghook plays Aghanim once, and each test shows the
 * result of its scenario.
 *
 * <p>AGHOOK is the program, if it is not on the PATH. Needs Java 17 and, in Gradle:
 *
 * <pre>
 * testImplementation("org.junit.jupiter:junit-jupiter:5.11.4")
 * testRuntimeOnly("org.junit.platform:junit-platform-launcher:1.11.4")
 * </pre>
 */
class WebhooksTest {
    /** What to run: nothing is the whole bundled suite, and a folder such as "scenarios/" is your own. */
    private static final List<String> SCENARIOS = List.of("--tag", "smoke");
    private static final String SECRET = "s3cret";
    private static Game game;

    @BeforeAll
    static void startGame() throws Exception {
        game = new Game(SECRET);
    }

    @AfterAll
    static void stopGame() {
        game.stop();
    }

    @TestFactory
    List<DynamicTest> scenarios(@TempDir Path folder, TestReporter reporter) throws Exception {
        Path profile = folder.resolve("aghook.yaml");
        Path report = folder.resolve("junit.xml");
        Path output = folder.resolve("output.txt");
        String template = Files.readString(Path.of("aghook.yaml"));
        Files.writeString(profile, template.replace("http://127.0.0.1:8080", game.address()));

        List<String> command = new ArrayList<>(List.of(System.getenv().getOrDefault("AGHOOK", "aghook"), "run"));
        command.addAll(List.of("--quiet", "--config", profile.toString(), "--report", "junit=" + report));
        command.addAll(SCENARIOS);
        ProcessBuilder aghook = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        aghook.environment().put("AGHANIM_WEBHOOK_SECRET", SECRET);
        int exitCode = aghook.start().waitFor();
        String printed = Files.readString(output);

        List<DynamicTest> tests = new ArrayList<>();
        if (Files.exists(report)) {
            var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(report.toFile());
            var cases = document.getElementsByTagName("testcase");
            for (int i = 0; i < cases.getLength(); i++) {
                Element scenario = (Element) cases.item(i);
                tests.add(dynamicTest(scenario.getAttribute("name"), () -> showResult(scenario, reporter)));
            }
        }
        // 1 is a failed scenario, which its own test shows. 2 and 3 mean that there is no verdict.
        tests.add(dynamicTest("aghook finished", () -> assertTrue(exitCode == 0 || exitCode == 1, printed)));
        return tests;
    }

    private static void showResult(Element scenario, TestReporter reporter) {
        for (String kind : List.of("failure", "error", "skipped", "system-out")) {
            if (scenario.getElementsByTagName(kind).item(0) instanceof Element result) {
                String message = result.getAttribute("message");
                String text = result.getTextContent();
                switch (kind) {
                    case "failure", "error" -> fail(message + "\n" + text);
                    case "skipped" -> abort(message);
                    default -> {
                        if (text.startsWith("! warned")) {
                            reporter.publishEntry("warning", text);
                        }
                    }
                }
            }
        }
    }
}
