import PDDocument
import PDProtocol

extension V1.Submission {
    /// The report with something more in it that the agent says of itself, under `plugins.agent`.
    func adding(_ key: String, _ text: String?) -> V1.Submission {
        guard let text else { return self }
        let plugins = plugins ?? [:]
        let own = plugins["agent"]?.document ?? [:]
        return V1.Submission(
            hostname: hostname, collectedAt: collectedAt, agent: agent,
            plugins: plugins.setting(
                "agent", to: .document(own.setting("\(key)_problem", to: .string(text)))),
            commands: commands)
    }
}
