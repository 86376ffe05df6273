// Sends ringing calls to the Functions app. Deployed by infra/hooks/postdeploy.py, after the code: Event Grid refuses a
// function that it cannot find. Deployments are incremental, so a later `azd provision` leaves it in place.
param topicName string
param functionAppName string
param storageAccountName string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource app 'Microsoft.Web/sites@2025-05-01' existing = {
  name: functionAppName
}

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageAccountName
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'incoming-call'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: { includedEventTypes: ['Microsoft.Communication.IncomingCall'] }
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/incoming_call'
        maxEventsPerBatch: 1 // each call on its own: one that fails must not make the others ring again
      }
    }
    retryPolicy: {
      eventTimeToLiveInMinutes: 1 // the least there is; a call rings for 30 s
      maxDeliveryAttempts: 2 // at once and 10 s later; a third would come after the ring
    }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: account.id, blobContainerName: 'dead-letters' }
      }
    }
  }
}
