// What wakes somebody up. docs/deployment.md says what to look at.
param location string
param tags object
param email string
param workspaceId string
param topicId string
param workerId string
param replyLatencyMs int
param deployed bool

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-switchboard'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'switchboard'
    enabled: true
    emailReceivers: [
      { name: 'admin', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

// --- what the platform counts ---------------------------------------------------------------------

var counts = [
  {
    name: 'call-dead-lettered'
    severity: 1
    source: topicId
    namespace: 'Microsoft.EventGrid/systemTopics'
    metric: 'DeadLetteredCount'
    reckoned: 'Total'
    meaning: 'A phone rang and the Functions app took no notice: a caller was lost. The event is in the container dead-letters.'
  }
  {
    name: 'worker-restarted'
    severity: 2
    source: workerId
    namespace: 'Microsoft.App/containerApps'
    metric: 'RestartCount'
    reckoned: 'Maximum' // it counts a replica's restarts since its start
    meaning: 'A replica of the media worker was restarted: its calls were interrupted.'
  }
]

resource countAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for count in counts: {
  name: count.name
  location: 'global'
  tags: tags
  properties: {
    description: count.meaning
    severity: count.severity
    enabled: deployed // before, nothing can work yet
    scopes: [count.source]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'count'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: count.namespace
          metricName: count.metric
          timeAggregation: count.reckoned
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}]

// --- what Switchboard itself measures -------------------------------------------------------------

// Metrics come as one row a minute, replica and set of attributes: Sum over ItemCount values. The Functions app has no
// metrics of its own; it logs the calls that end with it.
var queries = [
  {
    name: 'calls-fail'
    severity: 1
    every: 'PT5M'
    over: 'PT15M'
    column: 'failed'
    operator: 'GreaterThanOrEqual'
    threshold: 3 // one may be a mishap of the network
    meaning: 'Calls rang but got no agent: answers refused, audio or bridge failed.'
    query: '''
      let reasons = dynamic(["answer_refused", "media_failed", "bridge_failed"]);
      let worker = AppMetrics
      | where Name == "switchboard.calls.ended" and tostring(Properties.end_reason) in (reasons)
      | summarize calls = sum(Sum);
      let functions = AppTraces
      | where Message has "call_ended" and tostring(parse_json(Message).reason) in (reasons)
      | summarize calls = todouble(count());
      union worker, functions | summarize failed = sum(calls)
    '''
  }
  {
    name: 'replies-slow'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    column: 'p95'
    operator: 'GreaterThan'
    threshold: replyLatencyMs
    meaning: 'Callers wait too long for the agent: 95th percentile of the mean replies of each minute, weighted by their number.'
    query: 'AppMetrics | where Name == "switchboard.turn.reply_ms" and ItemCount > 0 | summarize p95 = percentilew(Sum / ItemCount, ItemCount, 95)'
  }
  {
    name: 'no-worker-ready'
    severity: 0
    every: 'PT5M'
    over: 'PT10M'
    column: 'reports'
    operator: 'LessThan'
    threshold: 1
    meaning: 'No replica of the media worker has reported for ten minutes: callers hear the apology.'
    query: 'AppMetrics | where Name == "switchboard.calls.live" | summarize reports = count()'
  }
]

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in queries: {
  name: rule.name
  location: location
  tags: tags
  properties: {
    description: rule.meaning
    severity: rule.severity
    enabled: deployed
    skipQueryValidation: true // a new workspace has no metrics that a query could be checked against
    scopes: [workspaceId]
    evaluationFrequency: rule.every
    windowSize: rule.over // longer than the frequency: rows arrive some minutes late
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.column
          timeAggregation: 'Total'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: empty(email) ? [] : [people.id] }
  }
}]
