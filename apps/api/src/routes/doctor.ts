import { wireDoctor } from '@runnel/client';
import { askDoctor } from '../doctor.ts';
import { idPath, jsonOf, pathPart, type Route } from '../route.ts';

const answer = { '200': { description: 'What was found', content: jsonOf(wireDoctor) } };
const twice = 'What looks wrong is looked at again 2.5 s later; what is seen twice is told.';

const checkAll: Route = {
  method: 'get',
  path: '/api/v1/doctor',
  operation: {
    operationId: 'checkAll',
    summary: 'Check every run that has not ended, the shards, listeners and workers',
    description: twice,
    responses: answer,
  },
  async handle(context, _request, response) {
    response.json(await askDoctor(context, { repairs: false }));
  },
};

const repairAll: Route = {
  method: 'post',
  path: '/api/v1/doctor',
  operation: {
    operationId: 'repairAll',
    summary: 'Check everything, and mend what is wrong while runs go on',
    responses: answer,
  },
  async handle(context, _request, response) {
    response.json(await askDoctor(context, { repairs: true }));
  },
};

const checkRun: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/doctor',
  operation: {
    operationId: 'checkRun',
    summary: 'Check one run',
    description: twice,
    requestParams: { path: idPath },
    responses: answer,
  },
  async handle(context, request, response) {
    response.json(await askDoctor(context, { runId: pathPart(request, 'id'), repairs: false }));
  },
};

const repairRun: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/doctor',
  operation: {
    operationId: 'repairRun',
    summary: 'Check one run, and mend what is wrong while it goes on',
    requestParams: { path: idPath },
    responses: answer,
  },
  async handle(context, request, response) {
    response.json(await askDoctor(context, { runId: pathPart(request, 'id'), repairs: true }));
  },
};

export const doctorRoutes: readonly Route[] = [checkAll, repairAll, checkRun, repairRun];
